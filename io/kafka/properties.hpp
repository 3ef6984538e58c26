#pragma once

#include "io/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <utility>
#include <vector>

namespace tocsin::io::kafka {

/// Takes secrets out of a text before anybody sees it. Value; any thread.
class redactor {
public:
  redactor() = default;
  explicit redactor(std::vector<std::string> secrets);
  std::string operator()(std::string text) const;

private:
  std::vector<std::string> secrets_; ///< the longest first: one may be part of another
};

/// The properties of a client with the secrets read: ready for librdkafka, and never to be shown.
struct resolved_properties {
  std::vector<std::pair<std::string, std::string>> values;
  redactor redact;
};

/// The client properties that a user gives, as they go to librdkafka: {"bootstrap.servers": "10.0.0.1:9092", ...}.
/// A value is a string, a number, a boolean, or where it is to be found: {"file": "/etc/tocsin/password"} (without the
/// line end behind it) or {"env": "KAFKA_PASSWORD"}. What comes from there, and what librdkafka calls a password or a
/// key, is a secret: no error and no log line shows it. Value; any thread.
class properties {
public:
  /// `place` leads the messages: a JSON pointer, with the file before it, to which the property's name is added.
  static result<properties> parse(const nlohmann::json& object, const std::string& place);
  /// Adds or replaces one.
  void set(const std::string& name, const std::string& value);
  bool has(const std::string& name) const;
  /// Its value where it stands in the configuration and is no secret; empty if not.
  std::string shown(const std::string& name) const;
  /// `place` and the JSON pointer of a property, for messages.
  std::string place_of(const std::string& name) const;
  /// Reads the files and the environment. An error names the property and the file or variable that is not there.
  result<resolved_properties> resolve() const;

private:
  enum class origin { written, file, environment };
  struct property {
    std::string name;
    std::string text; ///< the value, or the name of the file or variable
    origin from = origin::written;
  };
  static result<property> parse_value(const std::string& name, const nlohmann::json& value, const std::string& place);
  result<std::string> value_of(const property& one) const;

  std::string place_;
  std::vector<property> all_;
};

} // namespace tocsin::io::kafka
