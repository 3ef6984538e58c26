#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tocsin {

/// DESCRIPTION
/// Which smallest sets of dimension values make the excess failures? Input are leaf cells: one code a dimension, the
/// failures of the incident, and what had to be expected.
///
/// Expectation of a leaf (P: rate of all past events; r_a(value) = ((past failed + 50 P) / (past total + 50)) / P):
///
///     main = clip(P prod over dimensions a of r_a(value), 1e-4, 0.9)
///     rate = clip((past failed + 50 main) / (past total + 50), 1e-4, 0.9)
///
/// Search: a slice g is a set of values of one to three dimensions; E and M are failures and expected failures of its
/// leaves, R = E/M. Slices with R > 1 and LLR(g) = E ln R - (E - M) >= 3 + ln #slices are ranked by
///
///     score(g) = sum over leaves i in g of  ln NB(e_i; R m_i, 0.2) - ln NB(e_i; m_i, 0.15)
///
/// with NB(e; mean, kappa) the negative binomial of variance mean + kappa mean^2. The best is a cause; its leaves are
/// explained (m_i <- e_i), and the rest is searched again while score >= max(3 + ln #slices, 0.3 first score), up to
/// five times. If no slice reaches 3 + ln #slices, the same is done with LLR(g) as the score and m_i <- R m_i. If a
/// uniform rise of all leaves scores more than all causes together, each less ln #slices, there are none: the
/// excess is everywhere.
///
/// IMPLEMENTATION DECISIONS
/// The Poisson LLR of a slice (Kulldorff's scan statistic, 1997) knows one ratio a slice. Real incidents raise the
/// leaves of their cause unevenly, so that with many failures the half of the cause with the higher ratio wins, or a
/// slice of noise follows. A negative binomial on the *sum* of a slice cannot tell causes from noise either. On each
/// *leaf* it can: a leaf that is risen at all speaks for the slice, whatever its own ratio; one that is not speaks
/// against it. Slices that leave out risen leaves lose. On counts so small that dispersion says nothing, the score is
/// the Poisson LLR; and where the leaves are too few or too little risen to be told from dispersion, the LLR decides.
/// docs/quality.md has the measurements and how the two dispersions were chosen.
///
/// Ties: fewer dimensions, then the order of dimensions, then of first leaves. Dimensions with one value are left out.
/// Sums go over the leaves in the order given, so equal input in equal order gives equal bits. Total functions.

/// Leaf cells of a scope. `codes` is row-major: leaf i has codes[i * dimensions + a].
struct attribution_past {
  std::size_t dimensions = 0;
  std::vector<std::uint32_t> codes;
  std::vector<double> total;
  std::vector<double> failed;
};
/// Expected failure rate of each leaf; 0 everywhere if nothing is known of the past.
std::vector<double> expected_leaf_rates(const attribution_past& past);

struct attribution_leaves {
  std::size_t dimensions = 0;
  std::vector<std::uint32_t> codes;
  std::vector<std::int64_t> failed;
  std::vector<double> expected; ///< failures
};

/// A set of dimension values.
struct attribution_slice {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> values; ///< dimension, code; ascending
  double score = 0;                                            ///< log likelihood ratio, in nats
};

struct attribution_answer {
  std::vector<attribution_slice> causes;  ///< best first, at most five
  std::vector<attribution_slice> ranking; ///< the five best slices of the first search, causes or not
};
attribution_answer find_causes(const attribution_leaves& leaves);

} // namespace tocsin
