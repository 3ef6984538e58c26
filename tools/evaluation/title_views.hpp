#pragma once

#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/noisy_stream.hpp"
#include "tools/generator/random.hpp"

#include <cmath>
#include <cstdint>
#include <memory>

namespace tocsin::evaluation {

/// Single views of very many titles: the volume and the noise of one stream, shared among the titles (alike, or by
/// Zipf's law) and CDNs. Each title has a failure rate of its own, e^(0.5 z) times the common one. Value: a copy goes
/// on as the original would.
class title_views {
public:
  /// `skew`: of Zipf's law; 0: all titles alike.
  title_views(const stream_shape& shape, std::size_t titles, std::uint32_t cdns, double skew, std::uint64_t seed,
              time_ms start);

  /// One tick: `rate_of(title, cdn, usual_rate)` gives a view's probability to fail, `visit(title, cdn, failed)` takes
  /// the view.
  template <class RateOf, class Visit>
  void next(const RateOf& rate_of, const Visit& visit) {
    const auto tick = stream_.next();
    for (std::int64_t i = 0; i < tick.total; ++i) {
      const auto title = popularity_ ? popularity_->pick(random_) : random_.below(titles_);
      const auto cdn = random_.below(cdns_);
      const double usual = tick.rate * (*factors_)[title];
      visit(title, cdn, random_.uniform() < rate_of(title, cdn, usual));
    }
  }

private:
  noisy_stream stream_;
  generator::random_source random_;
  std::uint32_t titles_;
  std::uint32_t cdns_;
  std::shared_ptr<const generator::alias_table> popularity_; ///< null: all alike
  std::shared_ptr<const std::vector<double>> factors_;       ///< of the failure rate, by title
};

/// Leaf keys of a world over `title`, and over `title` and `cdn`.
leaf_key title_leaf(std::uint32_t title);
leaf_key title_and_cdn_leaf(std::uint32_t title, std::uint32_t cdn);

} // namespace tocsin::evaluation
