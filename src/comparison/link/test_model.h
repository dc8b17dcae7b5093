// What the tests of this folder share: the shipped model and one invented person.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "comparison/link/model.h"

namespace canbao::comparison {

inline std::shared_ptr<const LinkModel> ShippedModel() {
  auto model = LinkModel::Load(CANBAO_SOURCE_DIR "/data", Date::FromYmd(2017, 9, 30));
  if (!model) ADD_FAILURE() << model.error().ToString();
  return *model;
}

inline Profile Zhang(uint32_t county = 330102) {
  Profile p;
  p.key = 33010219680406763;
  p.name = identity::FoldToCode("张晓明").v;
  p.birth = Date::FromYmd(1968, 4, 6);
  p.sex = identity::Sex::kFemale;
  p.verified = p.by_number = true;
  p.places.Add(county);
  p.phones.Add(77);
  return p;
}

}  // namespace canbao::comparison
