import Foundation
import HubTLS
import Testing

/// What the README names exists; its samples are built by `Tests/inside`.
@Suite struct ReadmeTests {
  private let page: String

  init() throws {
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../README.md").standardized
    page = try String(contentsOf: path, encoding: .utf8)
  }

  @Test func theCodesThatAreNamedExist() {
    let named = page.matches(of: #/`([A-Z]+(?:_[A-Z0-9]+)+)`/#).map { String($0.1) }.filter { !$0.hasPrefix("HUBTLS_") }
    #expect(named.count >= 2)
    #expect(Set(named).subtracting(errorCodes().map(\.code)).isEmpty)
  }

  @Test func theOptionsAreThoseOfTheTable() throws {
    let table = page.split(separator: "| option |").last?.split(separator: "\n\n").first ?? ""
    let told = table.split(separator: "\n").flatMap { $0.split(separator: "|").first?.matches(of: #/`(\w+)`/#).map { String($0.1) } ?? [] }
    let source = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Sources/HubTLS/Config.swift").standardized
    let known = try String(contentsOf: source, encoding: .utf8).matches(of: #////   - (\w+):/#).map { String($0.1) }
    #expect(known.count > 10 && Set(told) == Set(known))
  }

  @Test func theNoticeNamesTheReleaseThatIsBuilt() throws {
    let here = URL(fileURLWithPath: #filePath)
    let notice = try String(contentsOf: here.appendingPathComponent("../../../NOTICE").standardized, encoding: .utf8)
    let locked = try String(contentsOf: here.appendingPathComponent("../../../../../../Cargo.lock").standardized, encoding: .utf8)
    let version = try #require(locked.firstMatch(of: #/name = "uniffi_core"\nversion = "([^"]+)"/#)).1
    #expect(notice.contains("uniffi_core \(version))") && notice.contains("release v\(version)."))
  }

  @Test func thePoliciesAreThoseOfTheTable() {
    let rows = page.matches(of: #/\| `(iothub[a-z0-9-]*)` \| `([a-z0-9-]+)` \|/#).map { PolicyAlias(name: String($0.1), standsFor: String($0.2)) }
    #expect(rows == Policy.aliases)
  }
}
