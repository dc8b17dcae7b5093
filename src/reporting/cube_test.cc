#include "reporting/cube.h"

#include <gtest/gtest.h>

namespace canbao::reporting {
namespace {

scheme::Classification Person(uint32_t flags, uint32_t county, uint32_t city, uint8_t column) {
  scheme::Classification c;
  c.flags = flags;
  c.county = county;
  c.city = city;
  c.form_2_2 = column;
  return c;
}

Cube SmallCube() {
  Cube cube;
  cube.AddPerson(Person(scheme::kH | scheme::kL, 330102, 330100, 1));
  cube.AddPerson(Person(scheme::kH | scheme::kToVerify, 330106, 330100, 27));
  cube.AddPerson(Person(scheme::kL, 330100, 330100, 7));  // 市本级
  cube.AddPerson(Person(scheme::kL, 330281, 330200, 7));
  return cube;
}

int64_t Of(const Figures& figures, int form, int column) {
  return figures.Get(form, column).value_or(-1);
}

TEST(CubeTest, ProvinceCityCounty) {
  Cube cube = SmallCube();
  Figures province = cube.RollUp(330000, Population::kAll);
  EXPECT_EQ(Of(province, kForm21, 1), 2);
  EXPECT_EQ(Of(province, kForm21, 2), 3);
  EXPECT_EQ(Of(province, kForm21, 3), 2);
  EXPECT_EQ(Of(province, kForm22, 7), 2);
  EXPECT_EQ(Of(province, kForm22, 27), 1);
  EXPECT_EQ(Of(province, kForm21, 9), 0) << "known to be none, not unknown";
  Figures city = cube.RollUp(330100, Population::kAll);
  EXPECT_EQ(Of(city, kForm21, 2), 2);
  Figures county = cube.RollUp(330102, Population::kAll);
  EXPECT_EQ(Of(county, kForm21, 2), 1);
  Figures own = cube.RollUp(330100, Level::kCounty, Population::kAll);
  EXPECT_EQ(Of(own, kForm21, 2), 1) << "市本级 is a county of its own";
}

TEST(CubeTest, HukouPopulationIsThatOfH) {
  Cube cube = SmallCube();
  Figures hukou = cube.RollUp(330000, Population::kHukou);
  EXPECT_EQ(Of(hukou, kForm21, 1), 2);
  EXPECT_EQ(Of(hukou, kForm21, 2), 1);
  EXPECT_EQ(Of(hukou, kForm21, 3), 0);
}

TEST(CubeTest, CitiesAddUpToTheProvince) {
  Cube cube = SmallCube();
  Figures province = cube.RollUp(330000, Population::kAll);
  for (int column = 1; column <= 25; ++column) {
    int64_t cities = 0;
    for (uint32_t city : cube.Cities()) {
      cities += Of(cube.RollUp(city, Level::kCity, Population::kAll), kForm21, column);
    }
    EXPECT_EQ(cities, Of(province, kForm21, column)) << column;
  }
  EXPECT_EQ(cube.Cities(), (std::vector<uint32_t>{330100, 330200}));
  EXPECT_EQ(cube.Counties(330100), (std::vector<uint32_t>{330100, 330102, 330106}));
}

TEST(CubeTest, MinusOldPlusNewLeavesNoTrace) {
  Cube cube = SmallCube();
  scheme::Classification old_one = Person(scheme::kL, 330281, 330200, 7);
  scheme::Classification new_one = Person(scheme::kL, 330281, 330200, 3);
  cube.AddPerson(old_one, -1);
  cube.AddPerson(new_one, 1);
  Figures city = cube.RollUp(330200, Population::kAll);
  EXPECT_EQ(Of(city, kForm22, 7), 0);
  EXPECT_EQ(Of(city, kForm22, 3), 1);
  EXPECT_EQ(Of(city, kForm21, 2), 1);
}

}  // namespace
}  // namespace canbao::reporting
