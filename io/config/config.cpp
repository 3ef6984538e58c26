#include "io/config/config.hpp"

#include "io/config/builder.hpp"
#include "io/config/checker.hpp"
#include "io/config/document.hpp"
#include "io/config/language.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace tocsin::io {

namespace {

/// No person writes more; a recording given by mistake must not be read to its end.
constexpr std::size_t longest_file = std::size_t{4} << 20;

config_outcome unreadable(std::string found) {
  config_outcome out;
  out.issues.push_back({"", std::move(found), "a readable file with a configuration (JSON with comments)"});
  return out;
}

} // namespace

std::string to_string(const std::string& file, const config_issue& issue) {
  const auto place = issue.pointer.empty() ? std::string() : issue.pointer + ": ";
  return fmt::format("{}: {}found {}, expected {}", file, place, issue.found, issue.expected);
}

config_outcome parse_config(std::string_view text, const std::string& file_name) {
  config_outcome out;
  const auto document = parse_document(text, out.issues);
  if (!document)
    return out;

  const auto checked = checker(out.issues).check(root_section(), *document, "");
  auto built = builder(*document, out.issues).build(checked);
  if (!out.issues.empty())
    return out;
  built.file = file_name;
  out.warnings = warnings_of(built);
  out.value = std::move(built);
  return out;
}

config_outcome load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return unreadable(fmt::format("no file that can be opened ({})", std::generic_category().message(errno)));
  std::string text(longest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || (text.empty() && !file.eof()))
    return unreadable("nothing that can be read (is it a directory?)");
  if (text.size() > longest_file)
    return unreadable("more than 4 MiB");
  return parse_config(text, path);
}

} // namespace tocsin::io
