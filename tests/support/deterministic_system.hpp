#pragma once

#include "actors/protocol.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace tocsin::test {

/// An actor system in the calling thread: nothing runs unless a test runs it, time stands still unless a test moves it.
struct deterministic_system {
  caf::actor_system_config config;
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;

  deterministic_system()
      : system(prepare(config)), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())) {
    scheduler.clock().current_time += std::chrono::hours(1);
  }

  /// Runs everything that can run, in the order in which it became ready.
  std::size_t drain() {
    std::size_t steps = 0;
    while (scheduler.try_run_once())
      ++steps;
    return steps;
  }

  /// One message of an actor picked by `random`. False when nothing is ready.
  bool step(std::minstd_rand& random) {
    auto& jobs = scheduler.jobs;
    if (jobs.empty())
      return false;
    std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(random() % jobs.size()), jobs.end());
    return scheduler.try_run_once();
  }

  /// The actor whose message comes next; nullptr when nothing is ready.
  caf::local_actor* next_actor() {
    auto& jobs = scheduler.jobs;
    return jobs.empty() ? nullptr : dynamic_cast<caf::local_actor*>(jobs.front());
  }

  void advance(std::chrono::milliseconds time) { scheduler.clock().advance_time(time); }

  /// Actors that still live.
  std::size_t running() { return system.registry().running(); }

private:
  static caf::actor_system_config& prepare(caf::actor_system_config& config) {
    config.add_message_types<caf::id_block::tocsin>();
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }
};

} // namespace tocsin::test
