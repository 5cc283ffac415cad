use volumes::{from_roman, to_roman};

#[test]
fn reads() {
    assert_eq!(from_roman("XIV"), Some(14));
    assert_eq!(from_roman("MMXXVI"), Some(2026));
    assert_eq!(from_roman("xiv"), Some(14));
}

#[test]
fn refuses_other_letters() {
    assert_eq!(from_roman("ABC"), None);
}

#[test]
fn refuses_what_nobody_writes() {
    assert_eq!(from_roman("IIX"), None);
    assert_eq!(from_roman("VV"), None);
}

#[test]
fn writes() {
    assert_eq!(to_roman(1994).as_deref(), Some("MCMXCIV"));
    assert_eq!(to_roman(0), None);
    assert_eq!(to_roman(4000), None);
}
