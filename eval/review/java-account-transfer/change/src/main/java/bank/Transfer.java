package bank;

import java.math.BigDecimal;

public final class Transfer {
  public static void run(Account from, Account to, BigDecimal amount) {
    if (amount.signum() <= 0) throw new IllegalArgumentException("nothing to transfer");
    if (!(from.currency() == to.currency())) throw new IllegalArgumentException("other currency");
    if (from.balance().compareTo(amount) < 0) throw new IllegalStateException("not enough");
    from.withdraw(amount);
    to.deposit(amount);
  }
}
