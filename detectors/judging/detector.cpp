#include "detectors/judging/detector.hpp"

#include "detectors/judging/burn_rate_detector.hpp"
#include "detectors/judging/count_bucket_detector.hpp"
#include "detectors/judging/sr_mixture/detector.hpp"
#include "detectors/judging/threshold_detector.hpp"
#include "detectors/judging/volume_drop/detector.hpp"
#include "detectors/judging/z_score_detector.hpp"

#include <variant>

namespace tocsin {

std::unique_ptr<detector> make_detector(const monitor_spec& monitor, const detector_spec& spec,
                                        const keyed_state& keys) {
  if (const auto* threshold = std::get_if<threshold_spec>(&spec.settings))
    return std::make_unique<threshold_detector>(monitor, *threshold, keys);
  if (const auto* buckets = std::get_if<count_bucket_spec>(&spec.settings))
    return std::make_unique<count_bucket_detector>(monitor, *buckets, keys);
  if (const auto* mixture = std::get_if<sr_mixture_spec>(&spec.settings))
    return std::make_unique<sr_mixture::detector>(monitor, *mixture, keys);
  if (const auto* burn_rate = std::get_if<burn_rate_spec>(&spec.settings))
    return std::make_unique<burn_rate_detector>(monitor, *burn_rate, keys);
  if (const auto* z_score = std::get_if<z_score_spec>(&spec.settings))
    return std::make_unique<z_score_detector>(monitor, *z_score, keys);
  if (const auto* volume = std::get_if<volume_drop_spec>(&spec.settings))
    return std::make_unique<volume_drop::detector>(monitor, *volume, keys);
  return nullptr;
}

} // namespace tocsin
