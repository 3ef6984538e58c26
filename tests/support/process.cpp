#include "tests/support/process.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace tocsin::test {

namespace {

/// In the child: only what is safe after fork().
[[noreturn]] void become(char* const* arguments, const char* out, const char* err) {
  const int in = ::open("/dev/null", O_RDONLY);
  const int out_file = ::open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_file = ::open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (::dup2(in, STDIN_FILENO) >= 0 && ::dup2(out_file, STDOUT_FILENO) >= 0 && ::dup2(err_file, STDERR_FILENO) >= 0)
    ::execv(arguments[0], arguments);
  ::_exit(127);
}

} // namespace

process::process(const std::vector<std::string>& arguments) {
  auto texts = arguments;
  std::vector<char*> pointers;
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const auto out = directory_ / "out";
  const auto err = directory_ / "err";
  pid_ = ::fork();
  if (pid_ < 0)
    throw std::runtime_error("cannot fork");
  if (pid_ == 0)
    become(pointers.data(), out.c_str(), err.c_str());
}

process::~process() {
  if (pid_ < 0)
    return;
  signal(SIGKILL);
  wait();
}

void process::signal(int number) const {
  if (pid_ > 0)
    ::kill(pid_, number);
}

std::optional<int> process::reap(int options) {
  int status = 0;
  rusage used{};
  const auto ended = ::wait4(pid_, &status, options, &used);
  if (ended < 0 && errno != EINTR)
    throw std::runtime_error("cannot wait for a child");
  if (ended <= 0)
    return std::nullopt;
  pid_ = -1;
  max_rss_kib_ = used.ru_maxrss;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process::wait() {
  for (;;)
    if (const auto code = reap(0))
      return *code;
}

std::optional<int> process::wait(std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  for (;;) {
    if (const auto code = reap(WNOHANG))
      return code;
    if (std::chrono::steady_clock::now() >= deadline)
      return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool process::wait_for(const std::string& text) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (out().find(text) != std::string::npos)
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

finished_process run_process(const std::vector<std::string>& arguments) {
  process running(arguments);
  finished_process finished;
  finished.code = running.wait();
  finished.max_rss_kib = running.max_rss_kib();
  finished.out = running.out();
  finished.err = running.err();
  return finished;
}

} // namespace tocsin::test
