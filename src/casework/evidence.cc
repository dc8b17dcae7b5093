#include "casework/evidence.h"

#include "base/digest.h"
#include "base/file.h"

namespace canbao::casework {
namespace {

std::string PathOf(const std::string& data_dir, const std::string& sha256) {
  return data_dir + "/evidence/" + sha256;
}

// UTF-8 without control characters but tabs and ends of lines.
bool IsText(std::string_view bytes) {
  size_t i = 0;
  while (i < bytes.size()) {
    const auto u = static_cast<unsigned char>(bytes[i]);
    if (u < 0x20 && u != '\t' && u != '\n' && u != '\r') return false;
    size_t more = 0;
    if (u >= 0xF0 && u < 0xF5) {
      more = 3;
    } else if (u >= 0xE0) {
      more = 2;
    } else if (u >= 0xC2) {
      more = 1;
    } else if (u >= 0x7F) {
      return false;
    }
    if (u >= 0xF5) return false;
    for (size_t k = 1; k <= more; ++k) {
      if (i + k >= bytes.size() || (static_cast<unsigned char>(bytes[i + k]) & 0xC0) != 0x80) {
        return false;
      }
    }
    i += more + 1;
  }
  return true;
}

}  // namespace

std::string_view TypeOfBytes(std::string_view bytes) {
  if (bytes.starts_with("%PDF-")) return "pdf";
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "png";
  if (bytes.starts_with("\xff\xd8\xff")) return "jpeg";
  if (bytes.starts_with("PK\x03\x04")) return "zip";
  return IsText(bytes) ? "text" : "";
}

std::string ContentTypeOf(std::string_view type) {
  if (type == "pdf") return "application/pdf";
  if (type == "png") return "image/png";
  if (type == "jpeg") return "image/jpeg";
  if (type == "zip") return "application/zip";
  return "text/plain; charset=utf-8";
}

Result<EvidenceRow> KeepEvidence(const std::string& data_dir, const reg::FieldCipher& cipher,
                                 const Policy& policy, std::string_view bytes) {
  if (bytes.empty() || static_cast<int64_t>(bytes.size()) > policy.largest_evidence()) {
    return Fail(ErrorClass::kInput, "CB-CASEWORK-0014",
                Msg("文件为空，或大于 {0} 字节", "the file is empty, or larger than {0} bytes",
                    policy.largest_evidence()));
  }
  const std::string_view type = TypeOfBytes(bytes);
  if (type.empty() || !policy.TakesType(type)) {
    return Fail(ErrorClass::kInput, "CB-CASEWORK-0013",
                Msg("不接受这种文件", "files of this type are not taken"),
                Text{"可用 PDF、PNG、JPEG、docx、xlsx、ofd 或 UTF-8 文本。",
                     "PDF, PNG, JPEG, docx, xlsx, ofd and UTF-8 text are."});
  }
  EvidenceRow e;
  e.sha256 = Sha256Hex(bytes);
  e.size = static_cast<int64_t>(bytes.size());
  e.content_type = ContentTypeOf(type);
  CANBAO_TRY(MakeFolders(data_dir + "/evidence", 0700));
  const std::string path = PathOf(data_dir, e.sha256);
  if (!FileExists(path)) CANBAO_TRY(WriteFileAtomic(path, cipher.SealText(bytes), 0600));
  return e;
}

Result<std::string> ReadEvidence(const std::string& data_dir, const reg::FieldCipher& cipher,
                                 const EvidenceRow& evidence) {
  const std::string path = PathOf(data_dir, evidence.sha256);
  if (FileExists(path)) {
    CANBAO_ASSIGN(std::string sealed, ReadWholeFile(path));
    auto clear = cipher.OpenText(sealed);
    if (clear && Sha256Hex(*clear) == evidence.sha256) return std::move(*clear);
  }
  return Fail(ErrorClass::kInput, "CB-CASEWORK-0015",
              Msg("证据文件缺失或已损坏", "the file of this evidence is missing or damaged"),
              Text{"请从备份恢复 DATA/evidence。", "Restore DATA/evidence from a backup."});
}

}  // namespace canbao::casework
