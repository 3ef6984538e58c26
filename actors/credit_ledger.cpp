#include "actors/credit_ledger.hpp"

namespace tocsin::actors {

credit_ledger::credit_ledger(std::size_t partitions, std::uint64_t budget)
    : budget_(budget), held_(partitions, budget) {}

void credit_ledger::earn(partition_id partition, std::uint64_t bytes) {
  held_[partition] += bytes;
}

std::uint64_t credit_ledger::lend(partition_id partition) {
  const auto bytes = held_[partition];
  held_[partition] = 0;
  return bytes;
}

std::int64_t credit_ledger::lent(partition_id partition) const {
  return static_cast<std::int64_t>(budget_) - static_cast<std::int64_t>(held_[partition]);
}

} // namespace tocsin::actors
