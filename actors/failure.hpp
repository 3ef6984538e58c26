#pragma once

#include "detectors/values/time.hpp"

#include <caf/fwd.hpp>

#include <exception>
#include <string>

namespace tocsin::actors {

/// An exception in an actor is a bug: the actor dies with the exception's text as its reason, and the supervisor
/// decides. First line of every behaviour.
void die_on_exception(caf::scheduled_actor* self);

/// What an exception says about itself.
std::string exception_text(const std::exception_ptr& thrown);

/// Why an actor ended, in words.
std::string reason_text(const caf::error& reason);

/// The actor system's monotonic clock; simulated in deterministic tests.
time_ms monotonic_ms(const caf::local_actor& self);

} // namespace tocsin::actors
