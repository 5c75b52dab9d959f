//! Start an inference server from an argv, wait for health and identity, keep its log, stop it by pid.
