#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tocsin {

/// Writes state bytes: little-endian, a version first, a checksum last. Each state owner encodes itself with this.
class state_writer {
public:
  explicit state_writer(std::uint16_t version) { u16(version); }
  void u8(std::uint8_t v) { bytes_.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { integer(v); }
  void u32(std::uint32_t v) { integer(v); }
  void u64(std::uint64_t v) { integer(v); }
  void i64(std::int64_t v) { integer(static_cast<std::uint64_t>(v)); }
  /// IEEE 754 bits; every value survives, infinities and NaN too.
  void f64(double v);
  void f32(float v);
  /// 32-bit length, then the bytes.
  void text(std::string_view v);
  /// Appends XXH3-64 of everything before it and hands the bytes over; the writer is empty afterwards.
  std::string seal();

private:
  template <class T>
  void integer(T v) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_.push_back(static_cast<char>(static_cast<std::uint8_t>(v >> (8 * i))));
  }
  std::string bytes_;
};

/// Reads what state_writer wrote. A total function: after any damage `ok()` is false and every read gives 0.
class state_reader {
public:
  /// Checks the checksum and reads the version; damaged bytes give version 0 and ok() == false.
  explicit state_reader(std::string_view sealed);
  std::uint16_t version() const { return version_; }
  bool ok() const { return ok_; }
  /// ok() and nothing is left.
  bool complete() const { return ok_ && rest_.empty(); }
  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(integer<std::uint64_t>()); }
  double f64();
  float f32();
  std::string text();
  /// Marks the bytes as damaged (a value out of range).
  void fail() {
    ok_ = false;
    rest_ = {};
  }

private:
  template <class T>
  T integer() {
    if (rest_.size() < sizeof(T)) {
      fail();
      return 0;
    }
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      v |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8 * i);
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(v);
  }
  std::string_view rest_;
  std::uint16_t version_ = 0;
  bool ok_ = true;
};

} // namespace tocsin
