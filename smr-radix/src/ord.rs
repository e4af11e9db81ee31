//! Every memory ordering that carries an argument, by name.
