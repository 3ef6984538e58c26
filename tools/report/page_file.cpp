#include "tools/report/page_file.hpp"

#include <array>
#include <utility>

namespace tocsin::tools {

/// The files of page/ and of dygraphs, embedded when this is built.
namespace page {
extern const std::string_view page_html;
extern const std::string_view page_css;
extern const std::string_view page_js;
extern const std::string_view dygraph_js;
extern const std::string_view dygraph_css;
} // namespace page

namespace {

/// JSON stays the same value when these characters of its strings are spelled as escapes; they mean nothing to HTML
/// then.
std::string harmless(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else if (c == '>')
      out += "\\u003e";
    else if (c == '&')
      out += "\\u0026";
    else
      out += c;
  }
  return out;
}

} // namespace

std::string page_with(std::string_view data_json) {
  const auto data = harmless(data_json);
  const std::array<std::pair<std::string_view, std::string_view>, 5> parts{{{"{{dygraph.css}}", page::dygraph_css},
                                                                            {"{{page.css}}", page::page_css},
                                                                            {"{{dygraph.js}}", page::dygraph_js},
                                                                            {"{{data}}", data},
                                                                            {"{{page.js}}", page::page_js}}};
  // The marks come in this order; what is put in is not searched.
  std::string out;
  auto rest = page::page_html;
  for (const auto& [mark, text] : parts) {
    const auto at = rest.find(mark);
    if (at == std::string_view::npos)
      continue;
    out.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + mark.size());
  }
  return out.append(rest);
}

} // namespace tocsin::tools
