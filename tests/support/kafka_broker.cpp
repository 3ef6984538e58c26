#include "tests/support/kafka_broker.hpp"

#include "tests/support/process.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::test {

namespace {

constexpr const char* script = TOCSIN_SOURCE_DIR "/tools/kafka";
constexpr int cannot_be_had = 77;

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

} // namespace

kafka_broker& kafka_broker::shared() {
  static kafka_broker broker;
  return broker;
}

kafka_broker::kafka_broker() {
  auto name = (std::filesystem::temp_directory_path() / "tocsin-kafka-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make a folder for Kafka");
  data_ = name;
  start_watchdog();
  try_start();
}

bool kafka_broker::try_start() {
  const auto started = run_process({script, "start", "--data", data_, "--port", "0"});
  if (started.code == cannot_be_had) {
    why_not_ = trimmed(started.err);
    return false;
  }
  const std::string label = "bootstrap.servers=";
  if (started.code != 0 || started.out.rfind(label, 0) != 0)
    throw std::runtime_error("Kafka does not start: " + started.err);
  servers_ = trimmed(started.out.substr(label.size()));
  return true;
}

void kafka_broker::start() {
  if (!try_start())
    throw std::runtime_error("Kafka does not start again: " + why_not_);
}

void kafka_broker::kill() {
  const auto stopped = run_process({script, "stop", "--kill", "--data", data_});
  if (stopped.code != 0)
    throw std::runtime_error("Kafka does not stop: " + stopped.err);
}

/// A shell in a session of its own that reads from us: it sees our end, even by a signal, and stops the broker.
void kafka_broker::start_watchdog() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error("cannot make a pipe");
  watchdog_ = ::fork();
  if (watchdog_ < 0)
    throw std::runtime_error("cannot fork");
  if (watchdog_ == 0) {
    ::setsid();
    ::dup2(ends[0], STDIN_FILENO);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execl("/bin/bash", "bash", "-c", R"(cat >/dev/null; "$0" stop --kill --data "$1"; rm -rf -- "$1")", script,
            data_.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);
  lifeline_ = ends[1];
}

kafka_broker::~kafka_broker() {
  ::close(lifeline_);
  ::waitpid(watchdog_, nullptr, 0);
}

} // namespace tocsin::test
