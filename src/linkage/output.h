// What a run of linkage leaves: links (a person for each row), pairs with the weight of each
// comparison, and a report. Formats: docs/formats/link-model.md. One thread; fails as base/file.h
// does.
#pragma once

#include <string>
#include <vector>

#include "linkage/link.h"

namespace canbao::linkage {

// file,line[,id],person, in the order of the input. Persons are numbered from 1.
Status WriteLinks(const Model& model, const LinkResult& result, const std::vector<Table>& tables,
                  const std::vector<std::string>& paths, const std::string& to);
// file_a,line_a[,id_a],file_b,line_b[,id_b],rule,weight,probability,same_person and for each
// comparison its level and weight. Surest first.
Status WritePairs(const Model& model, const LinkResult& result, const std::vector<Table>& tables,
                  const std::vector<std::string>& paths, const std::string& to);
// JSON.
std::string ReportOf(const Model& model, const LinkResult& result);

// "12.34": hundredths.
std::string BitsText(Bits bits);

}  // namespace canbao::linkage
