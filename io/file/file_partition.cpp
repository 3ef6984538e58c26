#include "io/file/file_partition.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::io {

bool file_partition::follows() const {
  return options_.follow && open_->file->regular();
}

result<std::unique_ptr<stored_file>> file_partition::open_path(std::uint32_t path) const {
  if (is_standard_input())
    return stored_file::duplicate(options_.stdin_descriptor, "standard input");
  auto file = stored_file::open(paths_[path]);
  if (file && !*file && !options_.follow)
    return no_such_file(paths_[path]);
  return file;
}

void file_partition::start(std::unique_ptr<stored_file> file, std::size_t link, bool under_its_path) {
  std::optional<std::uint64_t> limit;
  if (link + 1 < chain_.size())
    limit = static_cast<std::uint64_t>(chain_[link + 1].base - chain_[link].base);
  open_file next;
  next.file = std::move(file);
  next.stream = std::make_unique<decoded_stream>(*next.file, options_.follow && !limit);
  next.lines = std::make_unique<line_framer>(
      *next.stream, framing_options{options_.has_header, options_.max_record_bytes, next.file->path()},
      chain_[link].base, limit);
  next.link = link;
  next.under_its_path = under_its_path;
  chain_[link].id = next.file->id();
  quiet_ = false;
  open_ = std::move(next);
}

void file_partition::start_new(std::unique_ptr<stored_file> file, std::uint32_t path, stream_offset base) {
  const auto named = status_of(paths_[path]);
  const bool under_its_path = is_standard_input() || (named && named->id == file->id());
  chain_.push_back({path, file->id(), 0, 0, base});
  start(std::move(file), chain_.size() - 1, under_its_path);
}

// ---- seeking

std::size_t file_partition::link_of(stream_offset offset) const {
  const auto later = [](stream_offset at, const chain_link& link) { return at < link.base; };
  const auto behind = std::upper_bound(chain_.begin(), chain_.end(), offset, later);
  return static_cast<std::size_t>(behind - chain_.begin()) - 1;
}

std::string file_partition::position(stream_offset offset) const {
  if (is_standard_input() || chain_.empty() || offset < chain_.front().base)
    return {};
  const auto first = chain_.begin() + static_cast<std::ptrdiff_t>(link_of(offset));
  return encode_chain(std::vector<chain_link>(first, chain_.end()));
}

error file_partition::missing(std::size_t link, const std::string& what) const {
  const auto& path = paths_[chain_[link].path];
  const auto from = std::to_string(chain_[link].base);
  const auto bytes = link + 1 < chain_.size() ? "bytes " + from + " to " + std::to_string(chain_[link + 1].base)
                                              : "the bytes from " + from + " on";
  return source_error(path + ": " + bytes + " of the stream cannot be read again: " + what +
                          "; put the file back under this name or one that begins with it (plain, .gz or .zst), or "
                          "start with a new state, which does without these records",
                      true);
}

result<void> file_partition::seek(stream_offset offset, const std::string& position) {
  const bool readable_again = !is_standard_input() && (!open_ || open_->file->regular());
  if (!readable_again) {
    const auto here = open_ ? open_->lines->offset() : 0;
    if (offset == here)
      return {};
    return source_error((is_standard_input() ? "standard input" : name()) + " cannot be read again; it is at byte " +
                            std::to_string(here) + " and byte " + std::to_string(offset) +
                            " is needed; read from a file, or start with a new state and the whole input",
                        true);
  }
  if (!position.empty()) {
    auto links = decode_chain(position);
    const auto is_unknown = [&](const chain_link& link) { return link.path >= paths_.size(); };
    if (!links || links->empty() || std::any_of(links->begin(), links->end(), is_unknown))
      return source_error(name() +
                              ": the stored position is damaged, of another version, or of other paths; restore the "
                              "state, or start with a new one",
                          true);
    chain_ = std::move(*links);
  }
  ended_ = false;
  successor_.reset();
  open_.reset();
  finished_bytes_ = 0;
  return locate(offset);
}

result<void> file_partition::locate(stream_offset offset) {
  if (!chain_.empty() && offset < chain_.front().base)
    return source_error(name() + ": byte " + std::to_string(offset) + " is before the first known byte " +
                            std::to_string(chain_.front().base) + "; restore the state, or start with a new one",
                        true);
  if (chain_.empty()) {
    const auto opened = open_first();
    if (!opened)
      return opened.failure();
    if (!*opened && offset == 0)
      return {};
    if (!*opened)
      return source_error(name() + ": no such file, and byte " + std::to_string(offset) + " of it is needed", true);
    if (!open_->file->regular())
      return seek(offset, {});
  } else {
    const auto link = link_of(offset);
    auto file = open_link(link);
    if (!file)
      return file.failure();
    const auto named = status_of(paths_[chain_[link].path]);
    const bool under_its_path = named && named->id == (*file)->id();
    start(std::move(*file), link, under_its_path);
  }
  // The files of a sequence have no bases yet when they are passed for the first time.
  for (;;) {
    const auto reached = open_->lines->skip_to(offset);
    if (!reached)
      return reached.failure();
    note_head();
    if (*reached)
      return {};
    const auto link = open_->link;
    const auto end = open_->lines->offset();
    const auto next_path = chain_[link].path + 1;
    if (link + 1 < chain_.size() || next_path >= paths_.size())
      return missing(link, open_->file->path() + " ends at byte " + std::to_string(end) + " and byte " +
                               std::to_string(offset) + " is needed");
    auto file = open_path(next_path);
    if (!file)
      return file.failure();
    if (!*file)
      return missing(link, paths_[next_path] + " does not exist");
    finished_bytes_ += open_->file->offset();
    start_new(std::move(*file), next_path, end);
  }
}

result<std::unique_ptr<stored_file>> file_partition::open_link(std::size_t link) const {
  auto file = find_file(paths_[chain_[link].path], chain_[link]);
  if (file && !*file)
    return missing(link, "the file that held them is gone, or its beginning has changed");
  return file;
}

result<bool> file_partition::open_first() {
  auto file = open_path(0);
  if (!file)
    return file.failure();
  if (!*file)
    return false;
  chain_.clear();
  start_new(std::move(*file), 0, 0);
  return true;
}

// ---- reading

result<read_outcome> file_partition::read(std::size_t max_bytes, raw_block& out) {
  if (ended_)
    return read_outcome::ended;
  if (!open_) {
    const auto opened = open_first();
    if (!opened)
      return opened.failure();
    if (!*opened)
      return read_outcome::idle;
  }
  for (;;) {
    if (const auto noticed = notice_truncation(); !noticed)
      return noticed.failure();
    const bool truncated = successor_ && successor_->truncated;
    if (!truncated) {
      const auto framed = open_->lines->next(max_bytes, out);
      if (!framed)
        return framed.failure();
      note_head();
      quiet_ = *framed != framing::block;
      if (*framed == framing::block)
        return read_outcome::block;
      if (*framed == framing::waiting)
        return read_outcome::idle;
    }
    // The present end. With a successor the file is over, but may have got its last bytes before that was noticed.
    if (!successor_) {
      if (const auto found = find_successor(); !found)
        return found.failure();
      if (successor_)
        continue;
      if (follows())
        return read_outcome::idle;
    }
    if (open_->lines->finish(out))
      return read_outcome::block;
    if (!successor_) {
      ended_ = true;
      return read_outcome::ended;
    }
    switch_to_successor();
  }
}

void file_partition::note_head() {
  const auto& head = open_->lines->head();
  auto& link = chain_[open_->link];
  if (link.head_bytes >= head.size())
    return;
  link.head_bytes = static_cast<std::uint32_t>(head.size());
  link.head_hash = hash_head(head);
}

/// A followed file that became shorter than what was read, or begins otherwise, was truncated in place.
result<void> file_partition::notice_truncation() {
  if (!quiet_ || successor_ || !follows() || open_->stream->encoding() != encoding::plain)
    return {};
  const auto now = open_->file->status();
  if (!now)
    return now.failure();
  if (now->size == open_->file->offset())
    return {};
  bool same = now->size > open_->file->offset();
  if (same) {
    const auto begins = open_->file->begins_with(open_->lines->head());
    if (!begins)
      return begins.failure();
    same = *begins;
  }
  if (same)
    return {};
  successor_ = successor{nullptr, chain_[open_->link].path, false, true};
  if (options_.on_warning)
    options_.on_warning(open_->file->path() + ": was truncated in place behind stored byte " +
                        std::to_string(open_->file->offset()) +
                        "; what had been written and not yet read is lost; rotate by renaming to lose nothing");
  return {};
}

result<void> file_partition::find_successor() {
  const auto link = open_->link;
  const auto next_path = chain_[link].path + 1;
  if (link + 1 < chain_.size()) {
    if (open_->lines->limit_left() > 0)
      return missing(link, open_->file->path() + " ends at byte " + std::to_string(open_->lines->offset()));
    auto file = open_link(link + 1);
    if (!file)
      return file.failure();
    successor_ = successor{std::move(*file), chain_[link + 1].path, true, false};
    return {};
  }
  if (next_path < paths_.size()) {
    auto file = open_path(next_path);
    if (!file)
      return file.failure();
    if (*file)
      successor_ = successor{std::move(*file), next_path, false, false};
    return {};
  }
  // Without following, only a file that was already rotated when it was opened (after a restart) has a successor.
  if (open_->file->regular() && (options_.follow || !open_->under_its_path))
    return find_rotated();
  return {};
}

result<void> file_partition::find_rotated() {
  const auto path = chain_[open_->link].path;
  const auto& name = paths_[path];
  const auto named = status_of(name);
  if (!named)
    return named.failure();
  const bool exists = named->id != file_id{};
  if (exists && named->id == open_->file->id())
    return {};
  const auto current = open_->file->status();
  if (!current)
    return current.failure();
  auto between = find_rotated_successor(name, *current, chain_);
  if (!between)
    return between.failure();
  if (*between) {
    successor_ = successor{std::move(*between), path, false, false};
    return {};
  }
  // An empty new file says nothing yet: its writer may still be at the old one.
  if (!exists || (options_.follow && named->size == 0))
    return {};
  auto file = stored_file::open(name);
  if (!file)
    return file.failure();
  if (*file)
    successor_ = successor{std::move(*file), path, false, false};
  return {};
}

void file_partition::switch_to_successor() {
  auto next = std::move(*successor_);
  successor_.reset();
  finished_bytes_ += open_->file->offset();
  const auto end = open_->lines->offset();
  if (next.is_known) {
    const auto named = status_of(paths_[next.path]);
    const bool under_its_path = named && named->id == next.file->id();
    start(std::move(next.file), open_->link + 1, under_its_path);
    return;
  }
  if (next.truncated) {
    open_->lines.reset();
    open_->stream.reset();
    next.file = std::move(open_->file);
    // Cannot fail: it is a regular file and open.
    static_cast<void>(next.file->rewind().ok());
  }
  start_new(std::move(next.file), next.path, end);
}

std::uint64_t file_partition::stored_bytes_read() const {
  return finished_bytes_ + (open_ ? open_->file->offset() : 0);
}

} // namespace tocsin::io
