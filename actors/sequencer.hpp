#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace tocsin::actors {

/// Puts what parallel workers finish out of order back into the order of its sequence numbers (0, 1, 2 ...).
/// A value, owned by a counter; bounded by the partition's credit.
template <class T>
class sequencer {
public:
  void put(std::uint64_t sequence, T item) { waiting_.emplace(sequence, std::move(item)); }
  /// The next item in order, if it is there.
  std::optional<T> next() {
    const auto first = waiting_.begin();
    if (first == waiting_.end() || first->first != next_)
      return std::nullopt;
    std::optional<T> item(std::move(first->second));
    waiting_.erase(first);
    ++next_;
    return item;
  }
  std::size_t waiting() const { return waiting_.size(); }

private:
  std::map<std::uint64_t, T> waiting_;
  std::uint64_t next_ = 0;
};

} // namespace tocsin::actors
