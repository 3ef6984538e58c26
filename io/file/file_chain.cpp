#include "io/file/file_chain.hpp"

#include "detectors/values/codec.hpp"
#include "io/file/decoded_stream.hpp"
#include "io/file/line_framer.hpp"

#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tocsin::io {

namespace {

constexpr std::uint16_t chain_version = 1;

/// Names next to `path` that begin with its name, in alphabetical order; `path` itself is not among them.
std::vector<std::string> siblings_of(const std::string& path) {
  const std::filesystem::path file(path);
  const auto base = file.filename().string();
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::vector<std::string> found;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const auto name = at->path().filename().string();
    if (name.size() > base.size() && name.compare(0, base.size(), base) == 0)
      found.push_back(at->path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Whether the decoded file begins with the head of the link. Damaged and unreadable files do not.
bool has_head(stored_file& file, const chain_link& link) {
  std::string head(link.head_bytes, '\0');
  std::size_t filled = 0;
  {
    decoded_stream stream(file, false);
    while (filled < head.size()) {
      const auto chunk = stream.read(head.data() + filled, head.size() - filled, false);
      if (!chunk || chunk->size == 0)
        break;
      filled += chunk->size;
    }
  }
  return file.rewind().ok() && filled == head.size() && hash_head(head) == link.head_hash;
}

/// An inode may have been given to another file since; content decides where there is some.
bool is_file_of(stored_file& file, const chain_link& link) {
  return link.head_bytes == 0 ? file.id() == link.id : has_head(file, link);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// Whether a sibling is named as log rotation does: a number or a date behind the name, perhaps compressed.
bool is_rotated_name(const std::string& sibling, const std::string& path) {
  const auto name = std::filesystem::path(sibling).filename().string();
  auto rest = std::string_view(name).substr(std::filesystem::path(path).filename().string().size());
  for (const std::string_view suffix : {".gz", ".zst"})
    if (ends_with(rest, suffix))
      rest.remove_suffix(suffix.size());
  return rest.size() >= 2 && (rest[0] == '.' || rest[0] == '-') && rest[1] >= '0' && rest[1] <= '9' &&
         rest.find_first_not_of("0123456789.:_T-") == std::string_view::npos;
}

} // namespace

std::uint64_t hash_head(std::string_view head) {
  return XXH3_64bits(head.data(), head.size());
}

std::string encode_chain(const std::vector<chain_link>& links) {
  state_writer out(chain_version);
  out.u32(static_cast<std::uint32_t>(links.size()));
  for (const auto& link : links) {
    out.u32(link.path);
    out.u64(link.id.device);
    out.u64(link.id.inode);
    out.u32(link.head_bytes);
    out.u64(link.head_hash);
    out.i64(link.base);
  }
  return out.seal();
}

std::optional<std::vector<chain_link>> decode_chain(std::string_view bytes) {
  state_reader in(bytes);
  if (in.version() != chain_version)
    return std::nullopt;
  std::vector<chain_link> links;
  for (auto left = in.u32(); left > 0 && in.ok(); --left) {
    chain_link link;
    link.path = in.u32();
    link.id.device = in.u64();
    link.id.inode = in.u64();
    link.head_bytes = in.u32();
    link.head_hash = in.u64();
    link.base = in.i64();
    if (link.head_bytes > line_framer::head_limit)
      in.fail();
    links.push_back(link);
  }
  const auto later = [](const chain_link& a, const chain_link& b) { return a.base < b.base; };
  if (!in.complete() || !std::is_sorted(links.begin(), links.end(), later))
    return std::nullopt;
  return links;
}

result<std::unique_ptr<stored_file>> find_file(const std::string& path, const chain_link& link) {
  auto names = siblings_of(path);
  names.insert(names.begin(), path);
  std::vector<std::unique_ptr<stored_file>> alike;
  for (const auto& name : names) {
    // A sibling may be anything, a pipe too; only the path itself must be readable.
    const auto status = status_of(name);
    if (!status || !status->regular)
      continue;
    auto file = stored_file::open(name);
    if (!file && name == path)
      return file.failure();
    if (!file || !*file)
      continue;
    const bool same_inode = (*file)->id() == link.id;
    if (!is_file_of(**file, link))
      continue;
    if (same_inode)
      return file;
    alike.push_back(std::move(*file));
  }
  if (alike.size() > 1)
    return source_error(path + ": both " + alike[0]->path() + " and " + alike[1]->path() +
                            " begin like the file that was read; move away the one that is not it",
                        true);
  return alike.empty() ? std::unique_ptr<stored_file>() : std::move(alike.front());
}

result<std::unique_ptr<stored_file>> find_rotated_successor(const std::string& path, const file_status& current,
                                                            const std::vector<chain_link>& known) {
  // Two rotations may fall into one step of the file system's clock; the present file itself is among the known ones.
  std::vector<std::pair<std::int64_t, std::string>> candidates;
  for (const auto& name : siblings_of(path)) {
    const auto status = status_of(name);
    if (status && status->regular && status->modified_ns >= current.modified_ns && is_rotated_name(name, path))
      candidates.emplace_back(status->modified_ns, name);
  }
  std::sort(candidates.begin(), candidates.end());
  for (const auto& candidate : candidates) {
    auto file = stored_file::open(candidate.second);
    if (!file)
      return file.failure();
    if (!*file)
      continue;
    const bool is_known =
        std::any_of(known.begin(), known.end(), [&](const chain_link& link) { return is_file_of(**file, link); });
    if (!is_known)
      return file;
  }
  return std::unique_ptr<stored_file>();
}

} // namespace tocsin::io
