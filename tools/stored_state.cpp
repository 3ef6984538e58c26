#include "tools/stored_state.hpp"

#include "tools/command.hpp"
#include "tools/pipeline_setup.hpp"

#include <fmt/format.h>

namespace tocsin::tools {

namespace {

io::error damaged(const std::string& what) {
  return {io::error_code::state, "the state cannot be read: " + what, false, true};
}

} // namespace

std::optional<opened_state> open_state(const std::string& config_file, const std::string& state_file, exit_code& code) {
  auto config = load_or_print(config_file);
  code = exit_code::configuration;
  if (!config)
    return std::nullopt;
  const auto path = state_file.empty() ? config->state_sqlite : state_file;
  if (path.empty()) {
    print_error(config_file + ": /state/sqlite: is not configured, so there is no state to look at");
    return std::nullopt;
  }
  auto store = io::sqlite_state_store::open_read_only(path);
  if (!store) {
    code = fail(store.failure());
    return std::nullopt;
  }
  auto summary = (*store)->summary();
  if (!summary) {
    code = fail(summary.failure());
    return std::nullopt;
  }
  return opened_state{std::move(*config), std::move(*store), std::move(*summary)};
}

io::result<std::vector<shard>> restore_shards(const opened_state& opened) {
  const auto& expected = opened.config.world.fingerprint;
  const auto& found = opened.summary.identity.fingerprint;
  if (!opened.summary.world.fresh && found != expected)
    return io::error{io::error_code::state,
                     fmt::format("the state was written with another configuration (fingerprint {}) than {} ({}): give "
                                 "the configuration of the run that wrote it",
                                 found, opened.config.file, expected),
                     false, true};
  const auto spec = std::make_shared<const world_spec>(opened.config.world);
  std::vector<shard> shards;
  for (std::uint32_t s = 0; s < shard_count; ++s)
    shards.emplace_back(spec, s);
  if (opened.summary.world.fresh)
    return shards;
  const auto loaded = opened.store->load([&](const state_record& record) -> io::result<void> {
    const auto owner = shard::owner_of(record);
    if (!owner)
      return damaged("a record with a malformed key");
    if (const auto error = shards[*owner].restore(record))
      return damaged(*error);
    return {};
  });
  if (!loaded)
    return loaded.failure();
  for (auto& one : shards)
    if (const auto error = one.finish_restore(opened.summary.world.judged_through))
      return damaged(*error);
  return shards;
}

} // namespace tocsin::tools
