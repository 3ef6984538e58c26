#include "tools/stop_signals.hpp"

#include <csignal>

namespace tocsin::tools {

namespace {

volatile std::sig_atomic_t stop_requested = 0;

void on_signal(int /*number*/) {
  stop_requested = 1;
}

/// Without SA_RESTART, so that a sleep or a read ends at once; the second signal finds the default action.
void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = handler == SIG_DFL ? 0 : static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

} // namespace

stop_signals::stop_signals() {
  stop_requested = 0;
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
}

stop_signals::~stop_signals() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
}

bool stop_signals::received() const {
  return stop_requested != 0;
}

} // namespace tocsin::tools
