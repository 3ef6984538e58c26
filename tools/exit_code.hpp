#pragma once

#include "io/result.hpp"

namespace tocsin::tools {

/// What the process tells its caller: one code for each class of error, so that a service manager can decide.
enum class exit_code : int {
  ok = 0,
  internal = 1,      ///< a bug
  usage = 2,         ///< the command line
  configuration = 3, ///< the configuration or profile
  source = 4,        ///< the input
  sink = 5,          ///< the output
  state = 6          ///< the durable state
};

inline exit_code exit_code_of(io::error_code code) {
  switch (code) {
  case io::error_code::usage: return exit_code::usage;
  case io::error_code::configuration: return exit_code::configuration;
  case io::error_code::source: return exit_code::source;
  case io::error_code::sink: return exit_code::sink;
  case io::error_code::state: return exit_code::state;
  case io::error_code::reader_gone: return exit_code::ok;
  }
  return exit_code::internal;
}

} // namespace tocsin::tools
