#include "tests/support/recording_store.hpp"

#include <algorithm>

namespace tocsin::test {

namespace {
io::result<void> call(const std::function<io::result<void>()>& hook) {
  return hook ? hook() : io::result<void>();
}
} // namespace

io::result<io::restored_world> recording_store::open(const io::state_identity&) {
  if (auto done = call(on_open); !done)
    return done.failure();
  io::restored_world world;
  world.fresh = disk_->fresh;
  world.judged_through = disk_->judged_through;
  world.partitions = disk_->partitions;
  world.journal = disk_->journal;
  world.actions = disk_->actions;
  world.alerts = disk_->alerts.size();
  return world;
}

io::result<void> recording_store::load(const std::function<io::result<void>(const state_record&)>& take) {
  if (forget_state)
    return {};
  for (const auto& [key, bytes] : disk_->state)
    if (auto done = take({key, bytes}); !done)
      return done;
  return {};
}

io::result<void> recording_store::commit(const io::commit_batch& batch) {
  if (auto done = call(before_commit); !done)
    return done;
  auto& on = *disk_;
  on.fresh = false;
  on.judged_through = batch.judged_through;
  on.partitions = batch.partitions;
  on.journal.insert(on.journal.end(), batch.journal.begin(), batch.journal.end());
  for (const auto& [number, what] : batch.actions) {
    on.actions.push_back(what);
    const auto taken = number;
    on.requests.erase(std::remove_if(on.requests.begin(), on.requests.end(),
                                     [&](const action_request& one) { return one.number == taken; }),
                      on.requests.end());
  }
  for (const auto& record : batch.state)
    if (record.bytes.empty())
      on.state.erase(record.key);
    else
      on.state[record.key] = record.bytes;
  on.alerts.insert(on.alerts.end(), batch.alerts.begin(), batch.alerts.end());
  ++on.commits;
  return call(after_commit);
}

io::result<void> recording_store::alerts(std::uint64_t from,
                                         const std::function<io::result<void>(const std::string&)>& take) {
  for (auto i = static_cast<std::size_t>(from); i < disk_->alerts.size(); ++i)
    if (auto done = take(disk_->alerts[i]); !done)
      return done;
  return {};
}

io::result<void> recording_log::complete(io::state_store& store) {
  std::vector<std::string> all;
  auto read = store.alerts(0, [&](const std::string& line) -> io::result<void> {
    all.push_back(line);
    return {};
  });
  if (!read)
    return read;
  auto& log = disk_->log;
  if (log.size() > all.size() || !std::equal(log.begin(), log.end(), all.begin()))
    return io::error{io::error_code::state, "the log is no prefix of the committed records", false, true};
  log = all;
  return {};
}

io::result<void> recording_log::append(const std::vector<std::string>& alerts) {
  if (auto done = call(before_append); !done)
    return done;
  disk_->log.insert(disk_->log.end(), alerts.begin(), alerts.end());
  return {};
}

io::result<void> recording_rejects::write(const std::vector<reject>& rejects) {
  if (auto done = call(before_write); !done)
    return done;
  disk_->rejects.insert(disk_->rejects.end(), rejects.begin(), rejects.end());
  return {};
}

} // namespace tocsin::test
