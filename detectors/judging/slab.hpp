#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tocsin {

/// Values that only some keys have, each at a place that stays its own until it is given back; places are used again.
/// A value, owned by a detector. What a place is called depends on history, so nothing that is told may depend on it.
template <class T>
class slab {
public:
  using place = std::uint32_t;

  /// A place that nobody has, with a first value.
  place take() {
    if (free_.empty()) {
      values_.emplace_back();
      return static_cast<place>(values_.size() - 1);
    }
    const auto again = free_.back();
    free_.pop_back();
    values_[again] = T{};
    return again;
  }
  void give_back(place at) { free_.push_back(at); }

  T& operator[](place at) { return values_[at]; }
  const T& operator[](place at) const { return values_[at]; }
  /// Places so far, with those that are free.
  std::size_t size() const { return values_.size(); }
  std::size_t capacity() const { return values_.capacity(); }

private:
  std::vector<T> values_;
  std::vector<place> free_;
};

} // namespace tocsin
