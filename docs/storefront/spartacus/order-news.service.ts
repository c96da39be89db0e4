import { HttpClient, HttpHeaders } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import {
  AuthService,
  AuthStorageService,
  AuthToken,
  BaseSiteService,
  ClientTokenService,
  LanguageService,
} from '@spartacus/core';
import { Order } from '@spartacus/order/root';
import { Observable, combineLatest } from 'rxjs';
import { switchMap, take } from 'rxjs/operators';

/** Where the gateway is, as seen from the browser: server.public_url of its configuration. */
export const ORDER_NEWS_GATEWAY = 'https://notify.example.com';

/** What the customer agrees to. Count the version up whenever the text changes. */
export interface OrderNewsConsent {
  text: string;
  version: string;
}

/** One way into a messenger: a link, or a code with what to do with it. */
export interface OrderNewsLink {
  channel: string;
  type: string;
  url?: string;
  code?: string;
  how?: string;
}

/** The answer of POST /v1/opt-ins. */
export interface OrderNewsOffer {
  expiresAt: string;
  page: string;
  links: OrderNewsLink[];
}

/** Asks the gateway for links, with the access token that the storefront holds anyway. */
@Injectable({ providedIn: 'root' })
export class OrderNewsService {
  protected http = inject(HttpClient);
  protected auth = inject(AuthService);
  protected authStorage = inject(AuthStorageService);
  protected clientToken = inject(ClientTokenService);
  protected baseSite = inject(BaseSiteService);
  protected language = inject(LanguageService);

  offer(order: Order, consent: OrderNewsConsent): Observable<OrderNewsOffer> {
    return combineLatest([this.token(), this.baseSite.getActive(), this.language.getActive()]).pipe(
      take(1),
      switchMap(([token, site, locale]) =>
        this.http.post<OrderNewsOffer>(
          `${ORDER_NEWS_GATEWAY}/v1/opt-ins`,
          { ...this.shown(order), site, locale, consent },
          { headers: new HttpHeaders({ Authorization: `Bearer ${token.access_token}` }) }
        )
      )
    );
  }

  /** A customer shows an order by its code, a guest by its GUID, which nobody else has. */
  protected shown(order: Order): { orderCode?: string; orderGuid?: string } {
    return order.guestCustomer ? { orderGuid: order.guid } : { orderCode: order.code };
  }

  /** The customer's own token; for a guest that of the application. */
  protected token(): Observable<Pick<AuthToken, 'access_token'>> {
    return this.auth.isUserLoggedIn().pipe(
      take(1),
      switchMap(
        (loggedIn): Observable<Pick<AuthToken, 'access_token'>> =>
          loggedIn ? this.authStorage.getToken() : this.clientToken.getClientToken()
      ),
      take(1)
    );
  }
}
