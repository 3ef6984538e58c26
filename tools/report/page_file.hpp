#pragma once

#include <string>
#include <string_view>

namespace tocsin::tools {

/// The whole page around a JSON object: one HTML document that needs no other file. What the data hold is text for the
/// browser, whatever it is: no value can end the script or begin a tag.
std::string page_with(std::string_view data_json);

} // namespace tocsin::tools
