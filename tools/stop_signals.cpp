#include "tools/stop_signals.hpp"

#include <csignal>

namespace tocsin::tools {

namespace {

volatile std::sig_atomic_t stop_requested = 0;

void on_signal(int number) {
  stop_requested = 1;
  std::signal(number, SIG_DFL);
}

} // namespace

stop_signals::stop_signals() {
  stop_requested = 0;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

stop_signals::~stop_signals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool stop_signals::received() const {
  return stop_requested != 0;
}

} // namespace tocsin::tools
