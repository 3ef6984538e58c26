#include "actors/pipeline.hpp"

#include "actors/progress_board.hpp"
#include "actors/supervisor_actor.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace tocsin::actors {

namespace {

using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

/// How often a waiting thread looks at the stop flag.
constexpr milliseconds glance{500};
/// Messages that an actor may handle in a row: each is worth a whole block or range.
constexpr std::size_t messages_in_a_row = 4;

time_ms system_clock_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::function<void(const std::string&)> standard_error_log() {
  auto logger = std::make_shared<spdlog::logger>("tocsin", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return [logger](const std::string& line) { logger->error(line); };
}

caf::actor_system_config& configure(caf::actor_system_config& config, std::size_t workers) {
  // Set in code only: no configuration file of CAF is read.
  config.add_message_types<caf::id_block::tocsin>();
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::max<std::size_t>(1, workers));
  config.set("scheduler.max-throughput", messages_in_a_row);
  return config;
}

} // namespace

/// Everything that has to outlive the actors stands before the actor system; no handle to a detached actor is here.
class pipeline::running {
public:
  running(pipeline_options options, pipeline_parts parts)
      : source_(std::move(parts.source)), sink_(std::make_shared<sink_parts>()),
        board_(std::make_shared<progress_board>()), system_(configure(config_, options.workers)) {
    deadline_ = milliseconds(options.shutdown_deadline);
    sink_->store = std::move(parts.store);
    sink_->alerts = std::move(parts.alerts);
    sink_->rejects = std::move(parts.rejects);
    if (!options.wall_clock)
      options.wall_clock = system_clock_ms;
    if (!options.log)
      options.log = standard_error_log();
    auto shared_options = std::make_shared<const pipeline_options>(std::move(options));
    supervisor_ = spawn_supervisor(
        system_, {std::move(shared_options), source_, std::move(parts.make_decoder), sink_, board_, true});
  }

  running(const running&) = delete;
  running& operator=(const running&) = delete;

  pipeline_progress progress() const { return board_->read(); }
  void request_stop() noexcept { stop_requested_.store(true, std::memory_order_relaxed); }

  bool wait_for(milliseconds timeout) {
    const auto until = clock::now() + timeout;
    for (;;) {
      look_at_stop_flag();
      if (abandoned_ || board_->finished())
        return true;
      const auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
      if (left <= milliseconds::zero())
        return false;
      static_cast<void>(board_->wait_for(std::min(left, glance)));
    }
  }

  pipeline_outcome wait() {
    while (!wait_for(milliseconds(std::chrono::minutes(1))))
      continue;
    if (auto outcome = board_->wait_for(milliseconds::zero()))
      return *outcome;
    pipeline_outcome outcome;
    outcome.abandoned = true;
    outcome.failure = io::error{io::error_code::sink,
                                "the source or the sink did not stop within the shutdown deadline", false, true};
    outcome.final = board_->read();
    return outcome;
  }

private:
  void look_at_stop_flag() {
    if (!stop_requested_.load(std::memory_order_relaxed))
      return;
    if (!stop_sent_at_) {
      stop_sent_at_ = clock::now();
      caf::anon_send(supervisor_, stop_atom::value);
    } else if (clock::now() - *stop_sent_at_ > deadline_ && !board_->finished()) {
      abandoned_ = true;
    }
  }

  std::shared_ptr<io::source> source_;
  std::shared_ptr<sink_parts> sink_;
  std::shared_ptr<progress_board> board_;
  milliseconds deadline_{};
  std::atomic<bool> stop_requested_{false};
  std::optional<clock::time_point> stop_sent_at_;
  bool abandoned_ = false;
  caf::actor_system_config config_;
  caf::actor_system system_;
  supervisor_actor supervisor_;
};

pipeline::pipeline(pipeline_options options, pipeline_parts parts)
    : running_(std::make_unique<running>(std::move(options), std::move(parts))) {}

pipeline::~pipeline() {
  running_->request_stop();
  static_cast<void>(running_->wait());
}

pipeline_progress pipeline::progress() const {
  return running_->progress();
}

void pipeline::request_stop() noexcept {
  running_->request_stop();
}

bool pipeline::wait_for(time_ms timeout) {
  return running_->wait_for(milliseconds(timeout));
}

pipeline_outcome pipeline::wait() {
  return running_->wait();
}

} // namespace tocsin::actors
