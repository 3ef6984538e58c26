#pragma once

namespace tocsin {

/// DESCRIPTION
/// How fast a change of a failure rate can be found at best, in events: the yardstick of every measured delay.
///
/// The optimal test (CUSUM, Moustakides 1986) knows both rates. With I0 = KL(p0 || p1) and I1 = KL(p1 || p0) an event,
/// and gamma events between false alarms, its threshold h and its delay D* are, in the Brownian approximation
/// (Siegmund, "Sequential Analysis", 1985),
///
///     e^h - h - 1 = gamma I0,   D* = (h - 1 + e^-h) / I1
///
/// Lorden's first-order bound ln(gamma) / I1 is 1.2 to 2.5 times as high for our gamma, and would flatter us.
///
/// Total functions: rates are clamped to [1e-9, 1 - 1e-9] and gamma to [1, 1e30], NaN to the nearer end of use: 1e-9
/// and
/// 1. Without a difference there is no finite delay: the largest double.

double optimal_delay(double null_rate, double alternative_rate, double events_between_false_alarms);

double lorden_delay(double null_rate, double alternative_rate, double events_between_false_alarms);

} // namespace tocsin
