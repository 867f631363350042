//! What is made of `/proc/mdstat` in every state an array can be in. Written after the kernel's `md_seq_show`.

use super::*;

/// One array, from its paragraph.
#[track_caller]
fn one(paragraph: &str) -> Array {
    let text = format!("Personalities : [raid1] [raid6]\n{paragraph}\n      \nunused devices: <none>\n");
    let mut arrays = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}: {paragraph}"));
    assert_eq!(arrays.len(), 1, "{arrays:?}");
    arrays.remove(0)
}

/// State; required, active, failed, spare; synced of blocks.
#[track_caller]
fn is(paragraph: &str, state: &str, disks: [u64; 4], synced: u64, blocks: u64) -> Array {
    let array = one(paragraph);
    assert_eq!(array.state, state, "{paragraph}");
    assert_eq!([array.required, array.active, array.failed, array.spare], disks, "{paragraph}");
    assert_eq!((array.synced, array.blocks), (synced, blocks), "{paragraph}");
    array
}

#[test]
fn a_whole_array_needs_what_it_has() {
    for paragraph in [
        "md0 : active raid1 sdb1[1] sda1[0]\n      1000 blocks super 1.2 [2/2] [UU]",
        "md0 : active raid1 sdb1[1] sda1[0]\n      1000 blocks [2/2] [UU]",
        "md0 : active (auto-read-only) raid1 sdb1[1] sda1[0]\n      1000 blocks super 1.2 [2/2] [UU]",
        "md0 : active (read-only) raid1 sdb1[1](W) sda1[0]\n      1000 blocks super 1.0 [2/2] [UU]\n      bitmap: 0/1 pages [0KB], 65536KB chunk",
        "md0 : active raid10 nvme1n1p1[1] nvme0n1p1[0]\n      1000 blocks super 1.2 512K chunks 2 near-copies [2/2] [UU]",
        // Journals and replacements are neither failed nor spare.
        "md0 : active raid5 sdd[3](J) sdb[1](R) sda[0]\n      1000 blocks super 1.2 level 5, 4k chunk, algorithm 2 [2/2] [UU]",
        // An array in a container.
        "md0 : active raid1 sdb[1] sda[0]\n      1000 blocks super external:/md127/0 [2/2] [UU]",
    ] {
        assert_eq!(is(paragraph, "active", [2, 2, 0, 0], 1000, 1000).progress, None);
    }
}

#[test]
fn failed_and_missing_disks_are_not_active_and_spares_are_counted_apart() {
    let failed = "md1 : active raid1 sdb1[1](F) sda1[0]\n      1000 blocks super 1.2 [2/1] [U_]";
    is(failed, "active", [2, 1, 1, 0], 1000, 1000);
    let gone = "md1 : active raid1 sda1[0]\n      1000 blocks super 1.2 [2/1] [U_]";
    is(gone, "active", [2, 1, 0, 0], 1000, 1000);
    let spare = "md1 : active raid6 sde[4](S) sdd[3] sdc[2](F) sdb[1] sda[0]\n      1000 blocks level 6, 64k chunk, algorithm 2 [4/3] [UU_U]";
    is(spare, "active", [4, 3, 1, 1], 1000, 1000);
}

#[test]
fn what_is_going_on_is_the_state_with_how_far_it_is() {
    for (line, state, active) in [
        ("[=>...................]  recovery =  7.5% (75/250) finish=0.4min speed=39420K/sec", "recovering", 1),
        ("[=>...................]  resync =  7.5% (75/250) finish=0.4min speed=39420K/sec", "resync", 2),
        ("[=>...................]  check = 30.0% (75/250) finish=0.4min speed=39420K/sec", "check", 2),
        ("[======>..............]  reshape = 30.0% (75/250) finish=0.4min speed=39420K/sec", "reshape", 2),
        // Nothing done yet, and the last of it.
        ("[>....................]  recovery =  0.0% (0/250) finish=0.4min speed=0K/sec", "recovering", 1),
        ("[====================>]  recovery = 100.0% (250/250) finish=0.0min speed=9K/sec", "recovering", 1),
    ] {
        let done = line.split(['(', '/']).nth(1).unwrap().parse().unwrap();
        let paragraph = format!(
            "md2 : active raid1 sdb1[2] sda1[0]\n      1000 blocks super 1.2 [2/{active}] [U_]\n      {line}\n      bitmap: 1/1 pages [4KB], 65536KB chunk"
        );
        let array = is(&paragraph, state, [2, active, 0, 0], done, 1000);
        assert_eq!(array.progress, Some(value(done) / 250.0), "of what is to be done, not of the array's size");
    }
}

#[test]
fn what_waits_has_done_nothing() {
    for (line, state) in [
        ("resync=DELAYED", "resync"),
        ("resync=PENDING", "resync"),
        ("resync=REMOTE", "resync"),
        ("recovery=DELAYED", "recovering"),
        ("check=DELAYED", "check"),
        ("reshape=DELAYED", "reshape"),
    ] {
        let paragraph =
            format!("md3 : active raid1 sdb1[1] sda1[0]\n      1000 blocks super 1.2 [2/2] [UU]\n      \t{line}");
        assert_eq!(is(&paragraph, state, [2, 2, 0, 0], 0, 1000).progress, Some(0.0));
    }
}

#[test]
fn every_disk_of_a_raid0_is_needed() {
    is("md4 : active raid0 sdb[1] sda[0]\n      1000 blocks super 1.2 512k chunks", "active", [2, 2, 0, 0], 1000, 1000);
    is(
        "md4 : active linear sdb[1] sda[0]\n      1000 blocks super 1.2 0k rounding",
        "active",
        [2, 2, 0, 0],
        1000,
        1000,
    );
    is("md4 : broken raid0 sdb[1] sda[0]\n      1000 blocks super 1.2 512k chunks", "broken", [2, 2, 0, 0], 1000, 1000);
}

#[test]
fn what_is_not_assembled_is_not_whole_and_a_container_is_no_array() {
    is(
        "md5 : inactive sdb1[1](S) sda1[0](S)\n      1000 blocks super 1.2\n       ",
        "inactive",
        [2, 0, 0, 2],
        1000,
        1000,
    );
    is(
        "md5 : inactive sda[1](S) sdb[0](S)\n      1000 blocks super external:imsm",
        "inactive",
        [0, 0, 0, 2],
        1000,
        1000,
    );
    // Not one disk left.
    is("md5 : inactive", "inactive", [0, 0, 0, 0], 0, 0);
}

#[test]
fn no_arrays_are_none() {
    for text in
        ["", "\n", "Personalities : \nunused devices: <none>\n", "Personalities : [raid1]\nunused devices: sdc1 sdd1\n"]
    {
        assert_eq!(parse(text.as_bytes()), Ok(Vec::new()), "{text}");
    }
}

#[test]
fn garbage_is_refused_with_its_line_and_is_no_healthy_array() {
    let head = "md0 : active raid1 sdb1[1] sda1[0]";
    for (text, line, part) in [
        ("x".to_owned(), 1, "expected `NAME : active`"),
        ("md0 active raid1".to_owned(), 1, "expected `NAME : active`"),
        ("md0 : asleep raid1 sda[0]".to_owned(), 1, "expected `NAME : active`"),
        ("   1000 blocks [2/2] [UU]".to_owned(), 1, "before any array"),
        (format!("{head}\n"), 1, "`md0` has no number of blocks"),
        (format!("{head}\nmd1 : active raid1 sdd[0]\n      1 blocks [1/1] [U]\n"), 1, "`md0` has no number of blocks"),
        (format!("{head}\n      many blocks [2/2] [UU]\n"), 2, "many"),
        (format!("{head}\n      -5 blocks [2/2] [UU]\n"), 2, "-5"),
        (format!("{head}\n      99999999999999999999 blocks [2/2] [UU]\n"), 2, "9999"),
        (format!("{head}\n      1000 bytes\n"), 2, "expected a number of blocks"),
        (
            format!("{head}\n      1000 blocks [2/2] [UU]\n      [=>..]  resync = 7.5% finish=1min\n"),
            3,
            "how much is done",
        ),
    ] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error:?}");
        assert!(error.what.contains(part), "{text}: {error:?}");
    }
    let mut bytes = b"md0 : active raid1 ".to_vec();
    bytes.extend([0xff, 0xfe, b'\n', b' ', 0xff]);
    assert!(parse(&bytes).is_err());
}

#[test]
fn an_array_that_is_named_twice_is_shown_once() {
    let paragraph = "md0 : active raid1 sda[0]\n      1 blocks [1/1] [U]\n";
    assert_eq!(parse(format!("{paragraph}{paragraph}").as_bytes()).unwrap().len(), 1);
}
