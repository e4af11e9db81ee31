//! The optional features.

#[cfg(feature = "serde")]
mod serde {
    use smr_hashmap::{HashMap, HashSet};

    #[test]
    fn maps_and_sets_come_back_as_they_went() {
        let map = HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(text, serde_json::to_string(&map.pin_owned()).unwrap());
        let back: HashMap<String, u32> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, map);
        let set = HashSet::from([1, 2, 3]);
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, serde_json::to_string(&set.pin()).unwrap());
        let back: HashSet<u32> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, set);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert!(serde_json::from_str::<HashMap<String, u32>>("[1]").is_err());
        assert!(serde_json::from_str::<HashMap<String, u32>>(r#"{"a": "b"}"#).is_err());
        let error = serde_json::from_str::<HashSet<u32>>("{}").unwrap_err();
        assert!(error.to_string().contains("a sequence of keys"), "{error}");
    }

    #[test]
    fn the_last_of_equal_keys_stays() {
        let map: HashMap<String, u32> = serde_json::from_str(r#"{"a": 1, "a": 2}"#).unwrap();
        assert_eq!(map.get_cloned("a"), Some(2));
    }

    /// An input that says it has many, and has none.
    struct Boaster;

    impl Iterator for Boaster {
        type Item = (u8, u8);

        fn next(&mut self) -> Option<Self::Item> {
            None
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (1 << 40, Some(1 << 40))
        }
    }

    #[test]
    fn little_memory_is_made_room_for_on_the_word_of_the_input() {
        use serde::de::Deserialize;
        use serde::de::value::{Error, MapDeserializer};

        let map = HashMap::<u8, u8>::deserialize(MapDeserializer::<_, Error>::new(Boaster));
        let bytes = map.unwrap().memory_usage();
        assert!((1000..2 << 20).contains(&bytes), "{bytes}");
        let none = Boaster.map(|_| ((), ()));
        let map = HashMap::<(), ()>::deserialize(MapDeserializer::<_, Error>::new(none));
        let bytes = map.unwrap().memory_usage();
        assert!((1000..2 << 20).contains(&bytes), "{bytes}");
    }
}

#[cfg(feature = "rayon")]
mod rayon {
    use rayon::prelude::*;
    use smr_hashmap::{HashMap, HashSet};

    #[test]
    fn entries_are_seen_once_in_parallel() {
        let map: HashMap<u64, u64> = (0..10_000).into_par_iter().map(|n| (n, n * 2)).collect();
        assert_eq!(map.len(), 10_000);
        let guard = map.guard();
        assert_eq!(map.par_iter(&guard).count(), 10_000);
        let sum: u64 = map.par_iter(&guard).map(|(key, value)| key + value).sum();
        assert_eq!(sum, 3 * (0..10_000).sum::<u64>());
        let pinned = map.pin();
        let many = pinned.par_iter().filter(|(key, _)| **key % 2 == 0).count();
        assert_eq!(many, 5_000);
    }

    #[test]
    fn keys_of_a_set_are_seen_once_in_parallel() {
        let set: HashSet<u64> = (0..10_000).collect();
        let guard = set.guard();
        let mut seen: Vec<u64> = set.par_iter(&guard).copied().collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..10_000));
        let pinned = set.pin();
        assert_eq!(
            pinned.par_iter().filter(|key| **key % 2 == 0).count(),
            5_000
        );
        let owned = set.pin_owned();
        rayon::join(
            || set.pin().remove(&7),
            || assert!(owned.par_iter().filter(|key| **key != 7).count() == 9_999),
        );
    }

    #[test]
    fn threads_insert_at_once() {
        let mut map = HashMap::from([(1, 1)]);
        (&map).par_extend((0..2_500).into_par_iter().map(|n| (n, n)));
        map.par_extend((2_000..5_000).into_par_iter().map(|n| (n, n)));
        assert_eq!(map.len(), 5_000);
        let mut set: HashSet<u32> = (0..5_000_u32).into_par_iter().map(|n| n % 900).collect();
        assert_eq!(set.len(), 900);
        set.par_extend(800..1000_u32);
        assert_eq!(set.len(), 1000);
        let sum: u32 = set.into_par_iter().sum();
        assert_eq!(sum, 499_500);
        let mut entries: Vec<(i32, i32)> = map.into_par_iter().collect();
        entries.sort_unstable();
        assert!(entries.iter().copied().eq((0..5_000).map(|n| (n, n))));
    }

    #[test]
    fn entries_are_looked_at_while_others_write() {
        let map: HashMap<u64, u64> = (0..1_000).map(|n| (n, n)).collect();
        let map = map.pin_owned();
        map.par_iter()
            .for_each(|(key, value)| assert_eq!(key, value));
        rayon::join(
            || map.map().pin().retain(|key, _| key % 2 == 0),
            || {
                let even = map.par_iter().filter(|(key, _)| **key % 2 == 0);
                assert_eq!(even.count(), 500);
            },
        );
    }
}
