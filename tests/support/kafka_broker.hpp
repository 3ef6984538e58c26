#pragma once

#include <string>
#include <sys/types.h>

namespace tocsin::test {

/// A real Apache Kafka of one node, on loopback, with its data in a scratch folder; run by tools/kafka. It ends with
/// the test program, however that ends. Throws when a broker that can be had does not start.
class kafka_broker {
public:
  /// The one of this test program, started when first asked for.
  static kafka_broker& shared();
  /// Why there is none on this machine; empty: there is one.
  const std::string& why_not() const { return why_not_; }

  const std::string& servers() const { return servers_; }
  /// kill -9; what it had on the disk stays.
  void kill();
  /// Again after kill(), with the same address and data.
  void start();

  ~kafka_broker();
  kafka_broker(const kafka_broker&) = delete;
  kafka_broker& operator=(const kafka_broker&) = delete;

private:
  kafka_broker();
  bool try_start();
  void start_watchdog();

  std::string data_;
  std::string servers_;
  std::string why_not_;
  pid_t watchdog_ = -1;
  int lifeline_ = -1; ///< closes when this process ends: what the watchdog waits for
};

} // namespace tocsin::test
