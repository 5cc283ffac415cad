use volumes::from_roman;

#[test]
fn reads() {
    assert_eq!(from_roman("XIV"), Some(14));
    assert_eq!(from_roman("MMXXVI"), Some(2026));
}

#[test]
fn refuses_other_letters() {
    assert_eq!(from_roman("ABC"), None);
}
