#include "actors/failure.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <exception>

namespace tocsin::actors {

std::string exception_text(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& problem) {
    return problem.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

void die_on_exception(caf::scheduled_actor* self) {
  self->set_exception_handler([](std::exception_ptr& thrown) -> caf::error {
    return caf::make_error(caf::sec::runtime_error, exception_text(thrown));
  });
}

std::string reason_text(const caf::error& reason) {
  if (!reason)
    return "it was done";
  if (reason.category() == caf::atom("exit"))
    return "it was ended (exit reason " + caf::to_string(static_cast<caf::exit_reason>(reason.code())) + ")";
  if (reason.context().match_elements<std::string>())
    return reason.context().get_as<std::string>(0);
  return caf::to_string(reason);
}

time_ms monotonic_ms(const caf::local_actor& self) {
  const auto now = self.clock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

} // namespace tocsin::actors
