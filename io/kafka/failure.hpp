#pragma once

#include "io/result.hpp"

#include <librdkafka/rdkafka.h>
#include <string>

namespace tocsin::io::kafka {

/// librdkafka's error as ours: `code` says whose it is, `what` what we wanted and where. Retriable is what another
/// broker, another leader or a little time may mend; fatal is what no restart mends (permissions, unknown topics, a
/// fenced producer). `reason`: librdkafka's own words, where it has more than the name of the error.
error failure_of(error_code code, rd_kafka_resp_err_t err, const std::string& what, const std::string& reason = {});
/// The same of an error object.
error failure_of(error_code code, const rd_kafka_error_t& err, const std::string& what);

bool is_retriable(rd_kafka_resp_err_t err);
bool is_fatal(rd_kafka_resp_err_t err);

} // namespace tocsin::io::kafka
