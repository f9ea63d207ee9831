use super::*;

fn shown(ty: Maybe) -> String {
    display::Shown(&ty).to_string()
}

/// Of every three types in every order.
#[test]
fn a_union_of_many_is_that_of_one_after_the_other() {
    let function = FunctionType { params: Vec::new(), result: None, variadic: None };
    let types = [
        None,
        Some(Type::Null),
        Some(Type::String),
        Some(Type::any()),
        Some(Type::one_of([Type::String])),
        Some(Type::one_of([Type::Null, Type::Number])),
        Some(Type::Function(Arc::new(function))),
    ];
    for a in &types {
        for b in &types {
            for c in &types {
                let all = [a, b, c].map(Clone::clone);
                let one_by_one = all.iter().cloned().fold(None, Type::union);
                assert_eq!(shown(Type::union_of(all)), shown(one_by_one), "{a:?} {b:?} {c:?}");
            }
        }
    }
}

#[test]
fn unions_are_sorted_and_hold_each_type_once() {
    let union = Type::union(Some(Type::String), Some(Type::Number));
    assert_eq!(shown(union.clone()), "any<number, string>");
    assert_eq!(shown(Type::union(union.clone(), Some(Type::Number))), "any<number, string>");
    assert_eq!(shown(Type::union(union, Some(Type::any()))), "any");
    assert_eq!(shown(Type::union(None, Some(Type::Null))), "null");
}

#[test]
fn a_function_has_no_union_with_a_value() {
    let function = Some(Type::Function(Arc::new(FunctionType::default())));
    assert!(Type::union(function, Some(Type::Null)).is_none());
}

#[test]
fn objects_select_known_properties_first() {
    let object = Type::object(
        vec![(Key::string("a"), Some(Type::Number))],
        Some((Some(Type::String), Some(Type::Boolean))),
    );
    assert_eq!(shown(object.select(&Key::string("a"))), "number");
    assert_eq!(shown(object.select(&Key::string("b"))), "boolean");
    assert_eq!(object.to_string(), "object<a: number>[string: boolean]");
    assert_eq!(shown(object.values()), "any<boolean, number>");
    assert_eq!(shown(object.keys()), "string");
}

#[test]
fn what_is_unknown_anywhere_is_unknown() {
    assert!(Type::is_unknown(&Some(Type::array(vec![None], None))));
    assert!(Type::is_unknown(&Some(Type::set(None))));
    assert!(!Type::is_unknown(&Some(Type::array(vec![], None))));
}
