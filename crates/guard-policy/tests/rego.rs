//! Policies in Rego: files beside hexarch.yaml, what of them is refused, and what an export makes of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use guard_policy::{LoadOptions, export_json, export_rego, export_yaml, load, parse, translate};
use test_support::Folder;

const RULE: &str = "decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"r\"}\n";

fn yaml(path: &str) -> String {
    format!("policies:\n  - id: p\n    rego: {path}\n")
}

/// What loading `hexarch.yaml` of a folder says, with the folder's name cut out.
fn told(folder: &Folder) -> String {
    match load(folder.path().join("hexarch.yaml"), &LoadOptions::default()) {
        Ok(file) => file.policies()[0].rego().unwrap().to_owned(),
        Err(error) => error.to_string().replace(&format!("{}/", folder.path().display()), ""),
    }
}

fn folder(path: &str, rego: &str) -> Folder {
    let folder = Folder::new("guard-policy-rego");
    folder.write("hexarch.yaml", yaml(path));
    folder.write("conf/p.rego", rego);
    folder
}

#[test]
fn a_path_is_of_the_folder_that_hexarch_yaml_is_in() {
    let text = format!("# Kept.\npackage guardrails.policies.p\n\n{RULE}");
    assert_eq!(told(&folder("conf/p.rego", &text)), text);
    assert_eq!(told(&folder("./conf/p.rego", &text)), text);
    let missing = told(&folder("p.rego", &text));
    assert!(
        missing.contains("hexarch.yaml:3:11: error[bad_value]: cannot read `p.rego`: No such file"),
        "{missing}"
    );
}

#[test]
fn nothing_outside_that_folder_is_read() {
    let outside = Folder::new("guard-policy-outside");
    outside.write("p.rego", RULE);
    for path in ["../conf/p.rego", "conf/../../p.rego", &outside.path().join("p.rego").display().to_string()]
    {
        let told = told(&folder(path, RULE));
        assert!(told.contains("leads out of the folder of hexarch.yaml"), "{told}");
    }
    #[cfg(unix)]
    {
        let folder = folder("conf/link.rego", RULE);
        std::os::unix::fs::symlink(outside.path().join("p.rego"), folder.path().join("conf/link.rego"))
            .unwrap();
        assert!(told(&folder).contains("leads out of the folder"), "{}", told(&folder));
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_others_can_write_is_refused_as_hexarch_yaml_is() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder("conf/p.rego", RULE);
    let file = folder.path().join("conf/p.rego");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o646)).unwrap();
    let told = told(&folder);
    assert!(told.contains("`conf/p.rego` can be written by another user: everybody (mode 646)"), "{told}");
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_own_lines_and_the_yaml_s_problems() {
    let folder =
        folder("conf/p.rego", "package guardrails.policies.q\n\nallow := data.users[input.user.id]\n");
    folder.write("hexarch.yaml", yaml("conf/p.rego") + "enforcment: warn\n");
    assert_eq!(
        told(&folder),
        "hexarch.yaml:4:1: error[unknown_key]: the file has no key `enforcment`
  |
4 | enforcment: warn
  | ^
  help: did you mean `enforcement`?

conf/p.rego:1:1: error[bad_value]: the policy `p` is asked for in its own package
  |
1 | package guardrails.policies.q
  | ^
  help: write `package guardrails.policies.p`

conf/p.rego:1:1: error[bad_value]: there is no rule `decision`, so that no call would ever be decided
  |
1 | package guardrails.policies.q
  | ^
  help: such as `decision := {\"allowed\": true, \"action\": \"allow\", \"reason\": \"…\"}`

conf/p.rego:3:10: error[bad_value]: a policy reads no such document: it would be undefined, or another policy's own
  |
3 | allow := data.users[input.user.id]
  |          ^
  help: there is `input`, `data.hexarch.state`, and the library, such as `data.hexarch.limits.check`
"
    );
}

#[test]
fn the_module_to_compile_has_the_lines_of_the_file_that_its_author_sees() {
    let text = format!("policies:\n  - id: a-b\n    rego: |\n      # one\n      {RULE}");
    let package = translate(&parse("conf/hexarch.yaml", &text).unwrap());
    let module =
        package.modules().iter().find(|module| module.name() == "guardrails/policies/a-b.rego").unwrap();
    assert_eq!(module.text(), format!("package guardrails.policies[\"a-b\"]\n\n# one\n{RULE}"));
    let (name, source) = module.as_written().unwrap();
    assert_eq!(name, "conf/hexarch.yaml");
    assert_eq!(source, format!("\n\npackage guardrails.policies[\"a-b\"]\n# one\n{RULE}"));
}

#[test]
fn an_export_stands_alone() {
    let rego = "package guardrails.policies.p\n\nimport data.hexarch.calls as asked\n\ndecision := {\"allowed\": true, \
                \"action\": \"allow\", \"reason\": \"r\"} if {\n\tasked.stated(\"user\")\n}\n";
    let folder = folder("conf/p.rego", rego);
    let file = load(folder.path().join("hexarch.yaml"), &LoadOptions::default()).unwrap();
    let policy = &file.policies()[0];
    let exported = export_rego(&file, policy);
    assert!(
        exported.contains("\t_calls_stated(\"user\")\n") && exported.contains("\n_calls_stated(field) if {")
    );
    assert!(!exported.contains("import"), "{exported}");
    // No file goes with the others: they have its text.
    for text in [export_yaml(policy), export_json(policy)] {
        let again = parse("hexarch.yaml", &text).unwrap_or_else(|problems| panic!("\n{problems}\n{text}"));
        assert_eq!(again.policies()[0].rego(), policy.rego());
    }
}
