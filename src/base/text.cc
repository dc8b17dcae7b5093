#include "base/text.h"

namespace canbao {
namespace {
Lang g_lang = Lang::kZh;
}

Lang CurrentLang() { return g_lang; }
void SetCurrentLang(Lang lang) { g_lang = lang; }

}  // namespace canbao
