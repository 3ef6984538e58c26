#pragma once

#include <string>
#include <utility>
#include <variant>

namespace tocsin::io {

/// What kind of thing went wrong; decides the exit code of the tool.
enum class error_code {
  usage,
  configuration,
  source,
  sink,
  state,
  reader_gone, ///< who read our output has seen enough: an end, and nobody's mistake
};

/// An error of the io layer. `message` is one line that says where, what was found and what would be right.
struct error {
  error_code code = error_code::source;
  std::string message;
  bool retriable = false; ///< the same call may succeed later (disk full, broker away)
  bool fatal = false;     ///< restarting cannot help (foreign state, bad configuration)
};

/// A value or an error; the only error idiom of io. Third-party exceptions are caught at the call and become errors.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : value_(std::in_place_index<0>, std::move(value)) {}         // NOLINT(google-explicit-constructor)
  result(error failure) : value_(std::in_place_index<1>, std::move(failure)) {} // NOLINT(google-explicit-constructor)
  bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() { return std::get<0>(value_); }
  const T& value() const { return std::get<0>(value_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const error& failure() const { return std::get<1>(value_); }

private:
  std::variant<T, error> value_;
};

/// Success or an error.
template <>
class [[nodiscard]] result<void> {
public:
  result() = default;
  result(error failure) : failure_(std::move(failure)), ok_(false) {} // NOLINT(google-explicit-constructor)
  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const error& failure() const { return failure_; }

private:
  error failure_;
  bool ok_ = true;
};

} // namespace tocsin::io
