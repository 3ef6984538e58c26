// Any state records are refused with a reason, or give a world that counts, judges, commits and restarts.

#include "detectors/engine/world.hpp"
#include "detectors/values/codec.hpp"
#include "tests/support/event_stream.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace tocsin;
using namespace tocsin::test;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

struct seed_world {
  std::shared_ptr<const world_spec> spec;
  std::vector<test_event> events;
  world_snapshot commit;
};

/// A world in the middle of its day, with open incidents.
const seed_world& the_world() {
  static const auto made = [] {
    seed_world seed;
    seed.spec = std::make_shared<const world_spec>(two_monitor_world(2));
    stream_options options;
    options.events = 1600;
    seed.events = random_stream(options);
    world engine(seed.spec, 1);
    engine.count(make_batch(*seed.spec, 0, seed.events, 0, 1500));
    seed.commit = engine.take_commit();
    return seed;
  }();
  return made;
}

/// Bytes of a record with a checksum that is right again.
std::string sealed_again(const std::string& bytes) {
  constexpr std::size_t checksum = 8;
  if (bytes.size() < 2 + checksum)
    return bytes;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  state_writer out(static_cast<std::uint16_t>(byte(0) | byte(1) << 8));
  for (std::size_t i = 2; i < bytes.size() - checksum; ++i)
    out.u8(byte(i));
  return out.seal();
}

/// Takes what the fuzzer chose from the front of its input.
class choices {
public:
  explicit choices(std::string_view rest) : rest_(rest) {}
  bool any() const { return !rest_.empty(); }
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes && any(); ++i) {
      value = value << 8 | static_cast<std::uint8_t>(rest_[0]);
      rest_.remove_prefix(1);
    }
    return value;
  }
  std::string bytes(std::size_t size) {
    const std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(taken.size());
    return taken;
  }

private:
  std::string_view rest_;
};

void damage(state_record& record, choices& from) {
  const auto what = from.number(1);
  auto& target = what % 8 == 7 ? record.key : record.bytes;
  const auto at = from.number(2) % (target.size() + 1);
  const auto with = from.bytes(what % 3 == 0 ? 1 : 8);
  if (what % 5 == 0)
    target.insert(at, with);
  else if (what % 5 == 1)
    target.erase(at, 1 + what / 16);
  else
    target.replace(at, with.size(), with);
  if (what % 2 == 0)
    record.bytes = sealed_again(record.bytes);
}

} // namespace

/// The input changes records of a good snapshot: which (two bytes), how (one byte), where (two bytes), the new bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& seed = the_world();
  auto from = seed.commit;
  choices input({reinterpret_cast<const char*>(data), size});
  for (int i = 0; i < 8 && input.any(); ++i)
    damage(from.state[input.number(2) % from.state.size()], input);

  world engine(seed.spec, 1, from);
  if (engine.error()) {
    require(!engine.error()->empty());
    return 0;
  }
  const auto first = static_cast<std::size_t>(from.rewinds[0].offset) / 10;
  engine.count(make_batch(*seed.spec, 0, seed.events, first, seed.events.size()));
  engine.advance(0, engine.judged_through() + 6 * hour_ms, journal_kind::idle);
  engine.take_alerts();
  const auto next = engine.take_commit();
  world_snapshot fresh;
  fresh.judged_through = next.judged_through;
  fresh.rewinds = next.rewinds;
  for (const auto& record : next.state)
    if (!record.bytes.empty())
      fresh.state.push_back(record);
  // Only what changed: it may lack a root, but it must not crash.
  const world again(seed.spec, 1, fresh);
  return 0;
}
