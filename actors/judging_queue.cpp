#include "actors/judging_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tocsin::actors {

namespace {
template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  if (to.empty())
    to = std::move(from);
  else
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}
} // namespace

std::uint64_t judging_queue::open() {
  request fresh;
  fresh.missing = shard_actors_;
  fresh.together.number = next_number_++;
  waiting_.push_back(std::move(fresh));
  return waiting_.back().together.number;
}

void judging_queue::add(verdicts&& answer) {
  auto& mine = waiting_[static_cast<std::size_t>(answer.number - waiting_.front().together.number)];
  --mine.missing;
  append(mine.together.alerts, answer.alerts);
  append(mine.together.changes, answer.changes);
  mine.together.stats.add(answer.stats);
}

std::optional<verdicts> judging_queue::next() {
  if (waiting_.empty() || waiting_.front().missing > 0)
    return std::nullopt;
  std::optional<verdicts> complete(std::move(waiting_.front().together));
  waiting_.pop_front();
  sort_alerts(complete->alerts);
  return complete;
}

} // namespace tocsin::actors
