package bank;

import java.math.BigDecimal;
import java.util.Objects;

public final class Account {
  private final String id;
  private final String currency;
  private BigDecimal balance = BigDecimal.ZERO;

  public Account(String id, String currency) {
    this.id = id;
    this.currency = currency;
  }

  public String currency() { return currency; }
  public BigDecimal balance() { return balance; }
  public void deposit(BigDecimal amount) { balance = balance.add(amount); }
  public void withdraw(BigDecimal amount) { balance = balance.subtract(amount); }

  @Override
  public boolean equals(Object other) {
    return other instanceof Account account && id.equals(account.id);
  }

  @Override
  public int hashCode() { return Objects.hash(id, balance); }
}
