#include "tests/support/pipeline_case.hpp"

#include "detectors/engine/world.hpp"
#include "io/alert_json.hpp"
#include "tests/support/line_decoder.hpp"

#include <algorithm>

namespace tocsin::test {

pipeline_case::pipeline_case(std::shared_ptr<const world_spec> world, std::vector<std::string> texts, bool follow)
    : spec(std::move(world)), source(std::make_unique<scripted_source>(std::move(texts), follow)),
      store(std::make_unique<recording_store>(on)), log(std::make_unique<recording_log>(on)),
      rejects(std::make_unique<recording_rejects>(on)) {
  options.spec = spec;
  options.workers = 3;
  options.block_bytes = 2048;
  options.credit_bytes = 8192;
  options.commit_interval = 100;
  options.live = follow;
  options.restarts = {10, 50, 1000, 10};
  options.wall_clock = [] { return time_ms{0}; };
  options.log = [](const std::string&) {};
}

actors::pipeline_parts pipeline_case::take_parts() {
  actors::pipeline_parts parts;
  parts.source = std::move(source);
  parts.make_decoder = [world = spec, hook = on_block] { return make_line_decoder(world, hook); };
  parts.store = std::move(store);
  parts.alerts = std::move(log);
  parts.rejects = std::move(rejects);
  return parts;
}

staged_pipeline::staged_pipeline(pipeline_case& from) {
  auto parts = from.take_parts();
  source_ = std::move(parts.source);
  auto sink = std::make_shared<actors::sink_parts>();
  sink->store = std::move(parts.store);
  sink->alerts = std::move(parts.alerts);
  sink->rejects = std::move(parts.rejects);
  auto options = from.options;
  options.log = [&from](const std::string& line) { from.complaints.push_back(line); };
  supervisor_ =
      actors::spawn_supervisor(stage.system, {std::make_shared<const actors::pipeline_options>(std::move(options)),
                                              source_, std::move(parts.make_decoder), std::move(sink), board_, false});
}

staged_pipeline::~staged_pipeline() {
  corked.clear();
  if (!finished()) {
    request_stop();
    run();
  }
  supervisor_ = actors::supervisor_actor{};
  stage.drain();
}

actors::pipeline_outcome staged_pipeline::outcome() const {
  return board_->wait_for(std::chrono::milliseconds(0)).value();
}

void staged_pipeline::request_stop() {
  caf::anon_send(supervisor_, actors::stop_atom::value);
}

void staged_pipeline::step(std::minstd_rand& random) {
  if (random() % 16 == 0)
    stage.advance(std::chrono::milliseconds(random() % 40));
  if (!stage.step(random))
    stage.advance(std::chrono::milliseconds(5));
}

void staged_pipeline::settle() {
  auto& jobs = stage.scheduler.jobs;
  const auto allowed = [this](caf::resumable* job) {
    const auto* actor = dynamic_cast<caf::local_actor*>(job);
    return corked.empty() || actor == nullptr || corked != actor->name();
  };
  for (;;) {
    const auto next = std::find_if(jobs.begin(), jobs.end(), allowed);
    if (next == jobs.end())
      return;
    std::rotate(jobs.begin(), next, jobs.end());
    stage.scheduler.try_run_once();
  }
}

void staged_pipeline::pass(time_ms time) {
  settle();
  for (time_ms done = 0; done < time; done += 50) {
    stage.advance(std::chrono::milliseconds(50));
    settle();
  }
}

bool staged_pipeline::run() {
  settle();
  for (time_ms passed = 0; !finished() && passed < hour_ms; passed += 50)
    pass(50);
  return finished();
}

std::vector<std::string> log_without_actors(const std::shared_ptr<const world_spec>& spec,
                                            const std::vector<std::string>& texts,
                                            const std::vector<journal_entry>& journal,
                                            const std::vector<operator_action>& actions) {
  world_snapshot start;
  start.rewinds.resize(texts.size());
  start.journal = journal;
  start.actions = actions;
  world engine(spec, texts.size(), start);
  scripted_source source(texts);
  const auto decoder = make_line_decoder(spec);
  std::vector<std::string> log;
  io::raw_block block;
  event_batch batch;
  for (partition_id p = 0; p < texts.size(); ++p) {
    while (source.read(p, std::size_t{1} << 20, block).value() == io::read_outcome::block) {
      decoder->decode(block, batch);
      batch.partition = p;
      batch.begin = block.begin;
      batch.next_offset = block.next_offset;
      engine.count(batch);
    }
    engine.finish(p);
  }
  for (const auto& record : engine.take_alerts())
    log.push_back(io::to_json(record));
  return log;
}

} // namespace tocsin::test
