#include "tools/report/words.hpp"

namespace tocsin::tools {

std::string clock_time(time_ms time) {
  auto text = format_rfc3339(time); // 2016-05-04T12:00:10.000Z
  text[text.find('T')] = ' ';
  return text.substr(0, text.rfind('.'));
}

} // namespace tocsin::tools
