//! Runs the models.

use rustok_telemetry_loom::models;

#[test]
fn a_reader_finds_what_was_added() {
    models::a_reader_finds_what_was_added();
}

#[test]
fn nothing_is_missed_while_it_grows() {
    models::nothing_is_missed_while_it_grows();
}

#[test]
fn writers_wait_for_each_other() {
    models::writers_wait_for_each_other();
}

#[test]
fn no_addition_is_lost() {
    models::no_addition_is_lost();
}

#[test]
fn the_owner_loses_no_addition() {
    models::the_owner_loses_no_addition();
}

#[test]
fn no_exemplar_is_mixed_from_two_writes() {
    models::no_exemplar_is_mixed_from_two_writes();
}

#[test]
fn writers_of_an_exemplar_do_not_wait() {
    models::writers_of_an_exemplar_do_not_wait();
}

#[test]
fn no_value_is_lost() {
    models::no_value_is_lost();
}

#[test]
fn a_queue_keeps_its_limits_and_counts_every_item() {
    models::a_queue_keeps_its_limits_and_counts_every_item();
}

#[test]
fn a_thread_that_awaits_a_batch_is_woken() {
    models::a_thread_that_awaits_a_batch_is_woken();
}
