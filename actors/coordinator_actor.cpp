#include "actors/coordinator_actor.hpp"

#include "actors/commit_policy.hpp"
#include "actors/credit_ledger.hpp"
#include "actors/failure.hpp"
#include "actors/idle_policy.hpp"
#include "detectors/engine/tick_merger.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::actors {

namespace {

/// Ranges that the shards may work on at the same time: enough that they never wait for the coordinator.
constexpr std::size_t max_judging = 8;
/// Ranges closed while a commit is overdue.
constexpr std::size_t max_waiting = 8;
/// A partition this many ticks ahead of the slowest gets no credit.
constexpr time_ms max_lead_ticks = 8;

time_ms longest_tick(const world_spec& spec) {
  time_ms length = 0;
  for (const auto& monitor : spec.monitors)
    length = std::max(length, monitor.tick);
  return length;
}

class coordinator_state {
public:
  static inline const char* name = "coordinator";
  explicit coordinator_state(coordinator_actor::pointer self) : self_(self) {}

  void begin(coordinator_setup setup) {
    setup_ = std::move(setup);
    const auto& options = *setup_.options;
    const auto partitions = setup_.starts.size();
    merger_.emplace(std::move(setup_.starts), setup_.judged_through, base_tick(*options.spec));
    credit_.emplace(partitions, std::max<std::uint64_t>(options.credit_bytes, options.block_bytes));
    commits_.emplace(options.commit_interval, max_waiting);
    lead_ = max_lead_ticks * longest_tick(*options.spec);
    if (options.live)
      idle_.emplace(partitions,
                    idle_policy::settings{options.idle_timeout, holdback(*options.spec), base_tick(*options.spec)});
  }

  void start_work(const crew_ptr& crew) {
    crew_ = crew;
    judging_.emplace(crew->shards.size());
    look_for_silence_later();
    take(setup_.requests);
  }

  /// Each action holds for what has not been handed to the shards yet, and the commit that is begun next keeps it.
  void take(const std::vector<action_request>& requests) {
    for (const auto& [number, what] : requests) {
      unjudged_actions_.push_back(taken_over(what, merger_->judged_through()));
      uncommitted_actions_.push_back({number, unjudged_actions_.back()});
      anything_new_ = true;
    }
    pump();
  }

  void take(counted_news& from_counter) {
    auto& news = from_counter.news;
    const auto partition = news.partition;
    note_silence(partition, from_counter);
    setup_.board->update([&](pipeline_progress& progress) { progress.counting.add(news.stats); });
    settle_rejects(partition, from_counter);
    merger_->add(std::move(news));
    anything_new_ = true;
    // At once, so that silent partitions do not slow down others that catch up.
    let_silent_go();
    pump();
  }

  void take(verdicts& answer) {
    judging_->add(std::move(answer));
    while (auto judged = judging_->next())
      finish_judging(*judged);
    pump();
  }

  void take(const committed& ack) {
    commits_->finished();
    setup_.board->update([&](pipeline_progress& progress) {
      ++progress.commits;
      progress.alerts += ack.alerts;
      progress.shadow_alerts += ack.shadow;
      progress.committed_through = committing_through_;
    });
    if (last_commit_ == ack.number)
      return done();
    pump();
  }

  void take(const rejects_written& ack) {
    credit_->earn(ack.partition, ack.bytes);
    lend_credit();
  }

  void commit_due() {
    timer_pending_ = false;
    pump();
  }

  void look_for_silence() {
    let_silent_go();
    look_for_silence_later();
  }

  void stop() {
    if (stopping_)
      return;
    stopping_ = true;
    self_->send(crew_->source, halt_atom::value);
    if (!anything_new_)
      return done();
    pump();
  }

private:
  time_ms now() const { return monotonic_ms(*self_); }

  /// Does whatever has become possible.
  void pump() {
    while (may_close())
      close_range();
    if (commits_->uncommitted() > 0 && commits_->due(now()))
      request_commit();
    if (at_end() && !last_commit_ && !commits_->in_flight()) {
      request_commit();
      last_commit_ = commit_number_;
    }
    wake_for_commit();
    lend_credit();
  }

  // ---- closing and judging ----

  bool may_close() const {
    return !stopping_ && merger_->has_next() && judging_->size() < max_judging && commits_->may_close(now());
  }
  bool at_end() const { return stopping_ || (merger_->gate().all_ended() && !merger_->has_next()); }

  void close_range() {
    judge_request request;
    request.number = judging_->open();
    request.range = merger_->next();
    request.commit = commits_->due(now());
    if (request.commit)
      begin_commit(request.number);
    else
      commits_->closed(now());
    setup_.board->update([&](pipeline_progress& progress) { progress.judged_through = merger_->judged_through(); });
    ask_shards(std::move(request));
  }

  /// A commit of what was closed before, without a new range.
  void request_commit() {
    judge_request request;
    request.number = judging_->open();
    request.commit = true;
    begin_commit(request.number);
    ask_shards(std::move(request));
  }

  void ask_shards(judge_request request) {
    request.actions = std::exchange(unjudged_actions_, {});
    const judge_ptr shared = std::make_shared<const judge_request>(std::move(request));
    for (const auto& shard : crew_->shards)
      self_->send(shard, shared);
  }

  void finish_judging(verdicts& judged) {
    alerts_.insert(alerts_.end(), std::make_move_iterator(judged.alerts.begin()),
                   std::make_move_iterator(judged.alerts.end()));
    if (commit_ && commit_number_ == judged.number)
      send_commit(judged);
  }

  // ---- commits ----

  /// Rewind points and journal belong to this very moment; alerts and state follow when the shards have answered.
  void begin_commit(std::uint64_t number) {
    commits_->started(now());
    commit_number_ = number;
    commit_ = std::make_shared<commit_request>();
    commit_->number = number;
    auto points = merger_->take_restart_points();
    commit_->batch.judged_through = merger_->judged_through();
    commit_->batch.journal = std::move(points.journal);
    commit_->batch.actions = std::exchange(uncommitted_actions_, {});
    for (partition_id p = 0; p < points.rewinds.size(); ++p)
      commit_->batch.partitions.push_back({p, points.rewinds[p], {}});
    committing_through_ = merger_->judged_through();
  }

  void send_commit(verdicts& judged) {
    commit_->alerts = std::move(alerts_);
    alerts_.clear();
    commit_->batch.state = std::move(judged.changes);
    commit_->reply_to = caf::actor_cast<sink_listener>(self_->ctrl());
    setup_.board->update([&](pipeline_progress& progress) { progress.state = judged.stats; });
    self_->send(crew_->source, std::move(commit_));
    commit_.reset();
  }

  void wake_for_commit() {
    const auto delay = commits_->delay(now());
    if (!delay || timer_pending_)
      return;
    timer_pending_ = true;
    self_->delayed_send(self_, std::chrono::milliseconds(*delay), due_atom::value);
  }

  void done() {
    if (!told_)
      self_->send(setup_.supervisor, done_atom::value);
    told_ = true;
  }

  // ---- credit ----

  /// Rejects keep the credit of their blocks until they are written, so that a stream of garbage cannot pile up.
  void settle_rejects(partition_id partition, counted_news& from_counter) {
    auto& rejects = from_counter.news.rejects;
    if (!setup_.keep_rejects || rejects.empty())
      return credit_->earn(partition, from_counter.raw_bytes);
    auto request = std::make_shared<rejects_request>();
    request->partition = partition;
    request->bytes = from_counter.raw_bytes;
    request->rejects = std::move(rejects);
    request->reply_to = caf::actor_cast<sink_listener>(self_->ctrl());
    self_->send(crew_->sink, rejects_ptr(std::move(request)));
  }

  /// No credit while closed ticks have to wait for the shards or the sink, none for a partition far ahead. The slowest
  /// partition always gets it, so nothing waits in a circle.
  void lend_credit() {
    if (stopping_ || merger_->has_next())
      return;
    for (partition_id p = 0; p < crew_->counters.size(); ++p) {
      if (credit_->held(p) == 0 || !merger_->gate().may_read(p, lead_))
        continue;
      self_->send(crew_->source, credit_grant{p, credit_->lend(p)});
    }
  }

  // ---- silence ----

  void note_silence(partition_id partition, const counted_news& from_counter) {
    if (!idle_)
      return;
    if (from_counter.silent_since)
      idle_->silent(partition, *from_counter.silent_since);
    else if (from_counter.raw_bytes > 0)
      idle_->active(partition);
  }

  void let_silent_go() {
    if (!idle_ || stopping_)
      return;
    for (const auto& advance : idle_->due(merger_->gate(), now(), setup_.options->wall_clock()))
      self_->send(crew_->counters[advance.partition], let_go{advance.watermark});
  }

  void look_for_silence_later() {
    if (!idle_ || stopping_)
      return;
    const auto pause = std::min<time_ms>(base_tick(*setup_.options->spec), second_ms);
    self_->delayed_send(self_, std::chrono::milliseconds(pause), idle_atom::value);
  }

  coordinator_actor::pointer self_;
  coordinator_setup setup_;
  crew_ptr crew_;
  std::optional<tick_merger> merger_;
  std::optional<credit_ledger> credit_;
  std::optional<commit_policy> commits_;
  std::optional<idle_policy> idle_; ///< only for followed streams
  std::optional<judging_queue> judging_;
  time_ms lead_ = 0;
  std::vector<alert> alerts_;                     ///< judged and not yet in a commit
  std::vector<operator_action> unjudged_actions_; ///< the shards do not know them yet
  std::vector<action_request> uncommitted_actions_;
  commit_ptr commit_; ///< begun, its shards have not all answered
  std::uint64_t commit_number_ = 0;
  time_ms committing_through_ = beginning_of_time;
  std::optional<std::uint64_t> last_commit_; ///< when it is durable, all is done
  bool timer_pending_ = false;
  bool anything_new_ = false;
  bool stopping_ = false;
  bool told_ = false;
};

coordinator_actor::behavior_type coordinator_behavior(coordinator_actor::stateful_pointer<coordinator_state> self,
                                                      coordinator_setup setup) {
  die_on_exception(self);
  self->state.begin(std::move(setup));
  return {
      [self](const counted_ptr& news) { self->state.take(*news); },
      [self](const verdicts_ptr& answer) { self->state.take(*answer); },
      [self](const committed& ack) { self->state.take(ack); },
      [self](const requests_ptr& requests) { self->state.take(*requests); },
      [self](const rejects_written& ack) { self->state.take(ack); },
      [self](due_atom) { self->state.commit_due(); },
      [self](idle_atom) { self->state.look_for_silence(); },
      [self](const crew_ptr& crew) { self->state.start_work(crew); },
      [self](stop_atom) { self->state.stop(); },
  };
}

} // namespace

coordinator_actor spawn_coordinator(caf::local_actor* host, coordinator_setup setup) {
  return host->spawn<caf::monitored>(coordinator_behavior, std::move(setup));
}

} // namespace tocsin::actors
