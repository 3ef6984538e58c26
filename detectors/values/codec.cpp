#include "detectors/values/codec.hpp"

#include <xxhash.h>

namespace tocsin {

namespace {
constexpr std::size_t checksum_bytes = 8;
} // namespace

void state_writer::f64(double v) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof bits);
  u64(bits);
}

void state_writer::f32(float v) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &v, sizeof bits);
  u32(bits);
}

void state_writer::text(std::string_view v) {
  u32(static_cast<std::uint32_t>(v.size()));
  bytes_.append(v);
}

std::string state_writer::seal() {
  u64(XXH3_64bits(bytes_.data(), bytes_.size()));
  return std::move(bytes_);
}

state_reader::state_reader(std::string_view sealed) {
  if (sealed.size() < checksum_bytes + sizeof(std::uint16_t)) {
    fail();
    return;
  }
  const auto body = sealed.substr(0, sealed.size() - checksum_bytes);
  rest_ = sealed.substr(body.size());
  const auto stored = u64();
  if (stored != XXH3_64bits(body.data(), body.size())) {
    fail();
    return;
  }
  rest_ = body;
  version_ = u16();
}

double state_reader::f64() {
  const auto bits = u64();
  double v = 0;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

float state_reader::f32() {
  const auto bits = u32();
  float v = 0;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

std::string state_reader::text() {
  const auto size = u32();
  if (rest_.size() < size) {
    fail();
    return {};
  }
  std::string v(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return v;
}

} // namespace tocsin
