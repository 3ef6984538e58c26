#include "actors/shard_actor.hpp"

#include "actors/failure.hpp"

#include <algorithm>

namespace tocsin::actors {

namespace {

class shard_state {
public:
  static inline const char* name = "shard";

  /// What is wrong with the state, if anything is.
  std::optional<std::string> begin(shard_setup& setup) {
    for (const auto number : setup.numbers)
      shards_.emplace_back(setup.spec, number);
    if (setup.judged_through)
      if (auto damage = restore(setup.state, *setup.judged_through))
        return damage;
    for (auto& one : shards_)
      one.obey(setup.actions);
    return std::nullopt;
  }

  verdicts_ptr judge(const judge_request& request) {
    auto answer = std::make_shared<verdicts>();
    answer->number = request.number;
    for (auto& one : shards_) {
      one.obey(request.actions);
      if (request.range)
        one.judge(*request.range, answer->alerts);
      if (request.commit) {
        one.take_changes(answer->changes);
        answer->stats.add(one.stats());
      }
    }
    return answer;
  }

private:
  std::optional<std::string> restore(const std::vector<state_record>& state, time_ms judged_through) {
    for (const auto& record : state)
      if (auto damage = restore(record))
        return damage;
    for (auto& one : shards_)
      if (auto damage = one.finish_restore(judged_through))
        return damage;
    return std::nullopt;
  }

  std::optional<std::string> restore(const state_record& record) {
    const auto owner = shard::owner_of(record);
    const auto mine =
        std::find_if(shards_.begin(), shards_.end(), [&](const shard& one) { return owner && one.number() == *owner; });
    if (mine == shards_.end())
      return "a state record names no shard of this world";
    return mine->restore(record);
  }

  std::vector<shard> shards_;
};

shard_actor::behavior_type shard_behavior(shard_actor::stateful_pointer<shard_state> self,
                                          const std::shared_ptr<shard_setup>& setup) {
  die_on_exception(self);
  if (auto damage = self->state.begin(*setup)) {
    io::error failure;
    failure.code = io::error_code::state;
    failure.message = "the stored state is damaged: " + *damage;
    failure.fatal = true;
    self->send(setup->supervisor, std::move(failure));
    self->quit();
  }
  return {[self, coordinator = setup->coordinator](const judge_ptr& request) {
    self->send(coordinator, self->state.judge(*request));
  }};
}

} // namespace

shard_actor spawn_shard(caf::local_actor* host, shard_setup setup) {
  // Behind a pointer, because the state may be large and arguments of spawn are copied.
  return host->spawn<caf::monitored>(shard_behavior, std::make_shared<shard_setup>(std::move(setup)));
}

} // namespace tocsin::actors
