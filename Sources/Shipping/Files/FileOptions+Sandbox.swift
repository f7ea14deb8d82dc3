package import Platform

extension FileOptions {
  /// What a sandbox must leave to a file output.
  ///
  /// A pipe or a device is one thing, which another one of the same name isn't: files are made where they are, so it is
  /// their directory that counts.
  package var sandboxNeeds: SandboxPlan {
    var plan = SandboxPlan()
    if expandsName {
      plan.writableDirectories.append(naming(path).root)
    } else {
      switch try? FilePlace.find(path, .real) {
      case .file(let place):
        // Where a link leads may change; the link's own directory is where the next one is.
        plan.writableDirectories += [FileNaming.directory(of: place), FileNaming.directory(of: path)]
      case .pipe(let place), .stream(let place): plan.writableFiles.append(place)
      case .descriptor, nil: break
      }
    }
    if let link { plan.writableDirectories.append(FileNaming.directory(of: link)) }
    if postRotate != nil { plan.formUnion(.commandNeeds) }
    return plan
  }
}
