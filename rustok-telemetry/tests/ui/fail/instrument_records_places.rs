//! `record` takes arguments and their fields. Other values are `fields`.

use rustok_telemetry::instrument;

struct User {
    id: u64,
}

impl User {
    fn name(&self) -> &str {
        "ann"
    }

    #[instrument(record(self.id, slef.id))]
    fn misspelled_self(&self) {}
}

#[instrument(record(usr.id))]
fn misspelled(user: &User) {}

#[instrument(record(user.name()))]
fn method(user: &User) {}

#[instrument(record(users[0], &user, *user, user.id + 1, 3, user::ID, %user.id = 3))]
fn others(user: &User, users: &[User]) {}

#[instrument(record(self.id))]
fn without_self(user: &User) {}

#[instrument(record(user.id, %user.id), fields(user.id = 3))]
fn twice(user: &User) {}

#[instrument(record(user.idd))]
fn no_such_field(user: &User) {}

#[instrument(record(user))]
fn not_debug(user: &User) {}

#[instrument(tenant_id = user)]
fn no_tenant(user: &User) {}

fn main() {
    let user = User { id: 3 };
    assert_eq!((user.id, user.name()), (3, "ann"));
}
