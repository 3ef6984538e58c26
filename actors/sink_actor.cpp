#include "actors/sink_actor.hpp"

#include "actors/failure.hpp"
#include "io/alert_json.hpp"

#include <algorithm>

namespace tocsin::actors {

namespace {

class sink_state {
public:
  static inline const char* name = "sink";
  explicit sink_state(sink_actor::pointer self) : self_(self) {}

  void begin(sink_setup setup) { setup_ = std::move(setup); }

  void open() {
    auto& parts = *setup_.parts;
    auto found = std::make_shared<restored_state>();
    auto opened = parts.store->open(setup_.identity);
    if (!opened)
      return fail(opened.failure());
    found->world = std::move(*opened);
    if (const auto done = parts.alerts->complete(*parts.store); !done)
      return fail(done.failure());
    const auto loaded = parts.store->load([&](const state_record& record) -> io::result<void> {
      found->state.push_back(record);
      return {};
    });
    if (!loaded)
      return fail(loaded.failure());
    auto requests = new_requests();
    if (!requests)
      return fail(requests.failure());
    found->requests = std::move(*requests);
    self_->send(setup_.supervisor, restored_ptr(std::move(found)));
  }

  void commit(commit_request& request) {
    if (failed_)
      return;
    auto& parts = *setup_.parts;
    auto& batch = request.batch;
    for (const auto& record : request.alerts)
      batch.alerts.push_back(io::to_json(record));
    if (const auto done = parts.store->commit(batch); !done)
      return fail(done.failure());
    if (!batch.alerts.empty())
      if (const auto shown = parts.alerts->append(batch.alerts); !shown)
        return fail(shown.failure());
    auto requests = new_requests();
    if (!requests)
      return fail(requests.failure());
    if (!requests->empty())
      self_->send(request.reply_to, requests_ptr(std::make_shared<std::vector<action_request>>(std::move(*requests))));
    const auto shadow =
        std::count_if(request.alerts.begin(), request.alerts.end(), [](const alert& a) { return a.shadow; });
    self_->send(request.reply_to, committed{request.number, batch.alerts.size(), static_cast<std::uint64_t>(shadow)});
  }

  void write(const rejects_request& request) {
    if (failed_)
      return;
    if (setup_.parts->rejects)
      if (const auto done = setup_.parts->rejects->write(request.rejects); !done)
        return fail(done.failure());
    self_->send(request.reply_to, rejects_written{request.partition, request.bytes});
  }

private:
  /// What operators have asked for since the last look. A request stays in the store until a commit takes it over.
  io::result<std::vector<action_request>> new_requests() {
    auto all = setup_.parts->store->requests();
    if (!all)
      return all;
    const auto known = std::partition_point(all->begin(), all->end(),
                                            [&](const action_request& one) { return one.number <= last_request_; });
    all->erase(all->begin(), known);
    if (!all->empty())
      last_request_ = all->back().number;
    return all;
  }

  void fail(const io::error& failure) {
    failed_ = true;
    self_->send(setup_.supervisor, failure);
  }

  sink_actor::pointer self_;
  sink_setup setup_;
  std::int64_t last_request_ = 0; ///< that was handed on
  bool failed_ = false;
};

sink_actor::behavior_type sink_behavior(sink_actor::stateful_pointer<sink_state> self, sink_setup setup) {
  die_on_exception(self);
  self->state.begin(std::move(setup));
  return {
      [self](const commit_ptr& request) { self->state.commit(*request); },
      [self](const rejects_ptr& request) { self->state.write(*request); },
      [self](open_atom) { self->state.open(); },
  };
}

} // namespace

sink_actor spawn_sink(caf::local_actor* host, bool detached, sink_setup setup) {
  return detached ? host->spawn<caf::monitored + caf::detached>(sink_behavior, std::move(setup))
                  : host->spawn<caf::monitored>(sink_behavior, std::move(setup));
}

} // namespace tocsin::actors
